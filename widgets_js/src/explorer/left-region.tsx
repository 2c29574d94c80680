import type { ComponentChildren } from "preact";
import { DetailSlot } from "../detail/detail-slot.tsx";
import { GridBar } from "../grid/grid-bar.tsx";
import { GridPanel } from "../grid/grid-panel.tsx";
import { SelectionMenu } from "../review/selection-menu.tsx";
import type { Session } from "../session/session.ts";
import { ColumnsMenu } from "../table/columns-menu.tsx";
import { lazy } from "../ui/lazy.tsx";

const ImageEditor = lazy(
  () => import("../editor/image-editor.tsx").then((part) => part.ImageEditor),
  "penstock-editor",
);

const TableView = lazy(() => import("../table/table-view.tsx").then((part) => part.TableView), "penstock-tableview");
const NumberStrip = lazy(
  () => import("../numbers/number-strip.tsx").then((part) => part.NumberStrip),
  "penstock-number-place",
);
const ReviewDrawer = lazy(
  () => import("../review/review-drawer.tsx").then((part) => part.ReviewDrawer),
  "penstock-review",
);

/** Grid with detail, or over them one image or the review of the edits: one at a time. */
export function LeftRegion({ session }: { session: Session }) {
  const { region } = session.store;
  const over = OVER[region.value]?.({ session }) ?? null;
  return (
    <div class="penstock-left" data-region={region.value} data-testid="penstock-left">
      {/* stays under what covers it, so that it is at the same scroll place afterwards */}
      <div class="penstock-under" inert={over !== null}>
        <Browser session={session}>
          <SelectionMenu session={session} />
          <ColumnsMenu session={session} />
        </Browser>
      </div>
      {over === null ? null : <div class="penstock-over">{over}</div>}
    </div>
  );
}

type Over = (props: { session: Session }) => ComponentChildren;

/** What covers the grid, by `store.region`. */
const OVER: Partial<Record<string, Over>> = {
  image: ({ session }) => <ImageEditor session={session} />,
  review: ({ session }) => <ReviewDrawer session={session} />,
};

/** Samples are sorted by a value, or training has reported numbers of them. */
function wantsNumber({ store, grid }: Session): boolean {
  return (
    store.dataset.value?.image_tensor !== null &&
    (grid.sort.value.includes(":") || store.dataset.value?.signals != null)
  );
}

/** Grid and detail with their bar. */
export function Browser({ session, children }: { session: Session; children?: ComponentChildren }) {
  const { store } = session;
  return (
    <div class="penstock-browser">
      <GridBar session={session}>{children}</GridBar>
      {wantsNumber(session) ? <NumberStrip session={session} /> : null}
      {store.dataset.value?.image_tensor === null ? <TableView session={session} /> : <GridPanel session={session} />}
      <DetailSlot session={session} />
    </div>
  );
}
