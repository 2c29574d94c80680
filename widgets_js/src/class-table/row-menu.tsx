import type { Session } from "../session/session.ts";
import type { Store } from "../session/store.ts";
import { focusable } from "../ui/focus.ts";
import { Popover } from "../ui/popover.tsx";
import { walk } from "../ui/walk.ts";
import type { SliderRow } from "./slider-rows.ts";
import { tunerState } from "./tuner-state.ts";

/** ⋯ of a condition. */
export function RowMenu({ session, row, tabIndex }: { session: Session; row: SliderRow; tabIndex: number }) {
  return (
    <Popover
      label="⋯"
      class="penstock-row-tool"
      title={`more for ${row.label}`}
      testid="weight-menu"
      tabIndex={tabIndex}
      cell="more"
    >
      {(close) => (
        <div class="penstock-menu" role="menu" aria-label={`weight of ${row.label}`} onKeyDown={walk}>
          <WeightItems session={session} row={row} close={close} />
        </div>
      )}
    </Popover>
  );
}

interface ItemsProps {
  session: Session;
  row: SliderRow;
  close: () => void;
}

/** What can be done with the weight of a clause, as entries of a menu. */
export function WeightItems({ session, row, close }: ItemsProps) {
  const { store } = session;
  const state = tunerState(store);
  const { clause, expression } = row;
  if (clause === null) return null;
  const locked = state.locked.value.has(expression);
  const fault = store.textFault.value !== null;
  const items: { label: string; testid: string; off?: boolean; run: (button: HTMLElement) => void }[] = [
    { label: locked ? "Unlock" : "Lock", testid: "lock", run: () => state.toggleLock(expression) },
    {
      label: state.solo.value === expression ? "End solo" : "Solo: set all others to 0",
      testid: "solo",
      off: !row.literal || fault,
      run: () => state.toggleSolo(clause),
    },
    { label: "Edit as text", testid: "text", run: (button) => void asText(button, store, clause) },
    {
      label: "Remove",
      testid: "remove",
      off: !store.isLive.value || locked || fault,
      run: () => void state.remove(clause),
    },
  ];
  const offered = store.kind === "explorer" ? items : items.filter(({ testid }) => testid !== "text");
  return (
    <>
      {offered.map(({ label, testid, off, run }) => (
        <button
          {...focusable}
          key={testid}
          type="button"
          role="menuitem"
          disabled={off ?? false}
          data-testid={`weight-${testid}`}
          onClick={(event) => {
            close();
            run(event.currentTarget);
          }}
        >
          {label}
        </button>
      ))}
    </>
  );
}

export function LockMark() {
  return (
    <svg class="penstock-lock" width="11" height="12" viewBox="0 0 11 12" role="img" aria-label="locked">
      <rect x="1" y="5" width="9" height="6.5" rx="1.3" fill="currentColor" />
      <path d="M3 5V3.5a2.5 2.5 0 015 0V5" fill="none" stroke="currentColor" stroke-width="1.4" />
    </svg>
  );
}

/** With the editor, which is loaded later than this. */
async function asText(button: HTMLElement, store: Store, clause: number): Promise<void> {
  const widget = button.closest(".penstock"); // the button is gone when the menu has closed
  const { editAsText } = await import("./edit-as-text.ts");
  if (widget !== null) editAsText(widget, store, clause);
}
