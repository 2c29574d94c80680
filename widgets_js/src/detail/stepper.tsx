import * as intervals from "../session/intervals.ts";
import type { Session } from "../session/session.ts";
import { focusable } from "../ui/focus.ts";
import { countText } from "../ui/number-text.ts";

/** The position one step on: among the selected samples where the current one is one of several, else in the grid. */
export function stepTarget({ store, grid }: Session, by: 1 | -1): number | null {
  const now = store.current.value;
  if (now === null) return null;
  const selection = grid.selection.value;
  if (intervals.size(selection) > 1 && intervals.has(selection, now)) return intervals.step(selection, now, by);
  const next = now + by;
  return next >= 0 && next < store.gridSize.value ? next : null;
}

/** Show the sample at a position; what is selected stays so. */
export function goTo(session: Session, position: number): void {
  session.grid.onChosen();
  session.labeling.done();
  session.store.current.value = position;
}

/** ‹ 5 of 588 › */
export function Stepper({ session }: { session: Session }) {
  const { store, grid } = session;
  const now = store.current.value ?? 0;
  const selection = grid.selection.value;
  const chosen = intervals.size(selection);
  const within = chosen > 1 && intervals.has(selection, now);
  const place = within ? intervals.rank(selection, now) : now;
  const step = (by: 1 | -1) => {
    const next = stepTarget(session, by);
    return (
      <button
        {...focusable}
        type="button"
        class="penstock-icon-button"
        aria-label={by === 1 ? "Next sample" : "Previous sample"}
        title={by === 1 ? "next sample (→)" : "previous sample (←)"}
        disabled={next === null || !store.isLive.value}
        onClick={() => {
          if (next !== null) goTo(session, next);
        }}
      >
        <svg width="8" height="12" viewBox="0 0 8 12" aria-hidden="true">
          <path d={by === 1 ? "M2 1l5 5-5 5" : "M6 1L1 6l5 5"} fill="none" stroke="currentColor" stroke-width="1.6" />
        </svg>
      </button>
    );
  };
  return (
    <span class="penstock-stepper" data-testid="penstock-stepper">
      {step(-1)}
      <span class="penstock-number penstock-nowrap">
        {countText(place + 1)}
        <span class="penstock-of"> of </span>
        {countText(within ? chosen : store.gridSize.value)}
        {within ? " selected" : ""}
      </span>
      {step(1)}
    </span>
  );
}
