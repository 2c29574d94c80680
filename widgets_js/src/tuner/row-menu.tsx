import type { Store } from "../session/store.ts";
import { focusable, focused } from "../ui/focus.ts";
import { Popover } from "../ui/popover.tsx";
import type { SliderRow } from "./slider-rows.ts";
import { tunerState } from "./tuner-state.ts";

interface Props {
  store: Store;
  row: SliderRow;
  locked: boolean;
  disabled: boolean;
}

/** ⋯ at the end of a slider, or its lock. */
export function RowMenu({ store, row, locked, disabled }: Props) {
  const state = tunerState(store);
  const { clause } = row;
  if (clause === null) {
    return row.classIndex === null ? <LockMark /> : <span />;
  }
  const items: { label: string; testid: string; off?: boolean; run: () => void }[] = [
    { label: locked ? "Unlock" : "Lock", testid: "lock", run: () => state.toggleLock(row.expression) },
    {
      label: "Reset to 1",
      testid: "reset",
      off: locked || !row.literal,
      run: () => store.actions.setWeight(clause, 1),
    },
    {
      label: state.solo.value === row.expression ? "End solo" : "Solo: set all others to 0",
      testid: "solo",
      off: !row.literal,
      run: () => state.toggleSolo(clause),
    },
    {
      label: "Remove clause",
      testid: "remove",
      off: !store.isLive.value,
      run: () => void store.actions.removeClause(clause),
    },
  ];
  return (
    <Popover
      label={locked ? <LockMark /> : "⋯"}
      class="penstock-more"
      title={`more for ${row.label}`}
      testid="weight-menu"
      disabled={disabled}
    >
      {(close) => (
        <div class="penstock-menu" role="menu" aria-label={`weight of ${row.label}`} onKeyDown={walk}>
          {items.map(({ label, testid, off, run }) => (
            <button
              {...focusable}
              key={testid}
              type="button"
              role="menuitem"
              disabled={off ?? false}
              data-testid={`weight-${testid}`}
              onClick={() => {
                close();
                run();
              }}
            >
              {label}
            </button>
          ))}
        </div>
      )}
    </Popover>
  );
}

/** Up and down go through the entries of a menu or list. */
export function walk(event: KeyboardEvent): void {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const list = event.currentTarget as HTMLElement;
  const entries = [...list.querySelectorAll<HTMLElement>("input, button:not(:disabled)")];
  const at = entries.indexOf(focused(list) as HTMLElement);
  const step = event.key === "ArrowDown" ? 1 : -1;
  entries[(at + step + entries.length) % entries.length]?.focus();
  event.preventDefault();
}

function LockMark() {
  return (
    <svg class="penstock-lock" width="11" height="12" viewBox="0 0 11 12" role="img" aria-label="locked">
      <rect x="1" y="5" width="9" height="6.5" rx="1.3" fill="currentColor" />
      <path d="M3 5V3.5a2.5 2.5 0 015 0V5" fill="none" stroke="currentColor" stroke-width="1.4" />
    </svg>
  );
}
