import type { ComponentChildren } from "preact";
import { DetailSlot } from "../detail/detail-slot.tsx";
import { GridBar } from "../grid/grid-bar.tsx";
import { GridPanel } from "../grid/grid-panel.tsx";
import type { Session } from "../session/session.ts";
import { lazy } from "../ui/lazy.tsx";
import { Popover } from "../ui/popover.tsx";
import { Review } from "./review.tsx";

const ImageEditor = lazy(
  () => import("../editor/image-editor.tsx").then((part) => part.ImageEditor),
  "penstock-editor",
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
          <Menus session={session} />
        </Browser>
      </div>
      {over === null ? null : <div class="penstock-over">{over}</div>}
    </div>
  );
}

type Over = (props: { session: Session }) => ComponentChildren;

/** What covers the grid, by `store.region`. */
const OVER: Partial<Record<string, Over>> = { image: ({ session }) => <ImageEditor session={session} /> };

/** Grid and detail with their bar. */
export function Browser({ session, children }: { session: Session; children?: ComponentChildren }) {
  return (
    <div class="penstock-browser">
      <GridBar session={session}>{children}</GridBar>
      <GridPanel session={session} />
      <DetailSlot session={session} />
    </div>
  );
}

function Menus({ session }: { session: Session }) {
  const { store } = session;
  const edits = store.dataset.value?.num_edits ?? 0;
  return (
    <Popover class="penstock-opener" label={`review ${edits} ▾`} testid="penstock-review-menu">
      {() => <Review session={session} />}
    </Popover>
  );
}
