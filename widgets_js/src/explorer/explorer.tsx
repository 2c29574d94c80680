import { useEffect, useRef } from "preact/hooks";
import { QueryPanel } from "../query/query-panel.tsx";
import type { Session } from "../session/session.ts";
import type { Store } from "../session/store.ts";
import { lazy } from "../ui/lazy.tsx";
import { useMeasuredWidth } from "../ui/measured-width.ts";
import { CodePanel } from "./export-menu.tsx";
import { Header } from "./header.tsx";
import { LeftRegion } from "./left-region.tsx";
import { RightRegion } from "./right-region.tsx";

const TableView = lazy(() => import("../table/table-view.tsx").then((part) => part.TableView), "penstock-tableview");

/** From here up the regions stand beside each other; below, the eye meets the class table first and so does Tab. */
const TWO_REGIONS = 760;

export function Explorer({ session }: { session: Session }) {
  const { store } = session;
  const [root, width] = useMeasuredWidth<HTMLDivElement>(848);
  const left = <LeftRegion key="left" session={session} />;
  const right = <RightRegion key="right" session={session} />;
  return (
    <div class="penstock-tall" ref={root} style={{ "--penstock-height": `${Math.max(480, session.height)}px` }}>
      <Header session={session} />
      <CodePanel session={session} />
      <QueryPanel session={session} />
      {store.isTable.value ? (
        <TableView session={session} />
      ) : (
        <div class="penstock-body">{width < TWO_REGIONS ? [right, left] : [left, right]}</div>
      )}
    </div>
  );
}

/** Spoken results. The same words twice are told apart by a space that nobody hears. */
export function LiveRegion({ store }: { store: Store }) {
  const turn = useRef(false);
  useEffect(() => {
    turn.current = !turn.current;
  }, [store.announcement.value]);
  return (
    <div class="penstock-hidden" role="status" aria-live="polite" data-testid="penstock-live">
      {store.announcement.value}
    </div>
  );
}
