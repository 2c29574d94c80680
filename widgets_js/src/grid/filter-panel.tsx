import { isFiltered, STATES } from "../session/grid-filter.ts";
import type { SampleState } from "../session/protocol.ts";
import type { Session } from "../session/session.ts";
import { focusable } from "../ui/focus.ts";
import { countText, pluralText } from "../ui/number-text.ts";
import { FilterChips, HowSwitch } from "./filter-chips.tsx";
import { type Chip, STATE_WORDS } from "./filter-words.ts";

interface MenuProps {
  session: Session;
  chips: readonly Chip[];
  close: () => void;
}

/** What the grid leaves out, in one panel; and the buttons that write it into the query. */
export function FilterPanel({ session, chips, close }: MenuProps) {
  const { store, grid } = session;
  const selected = grid.numSelected.value;
  const filtered = isFiltered(store.filter.value);
  const narrow = (by: "filter" | "selection"): void => {
    close();
    void store.actions.narrow(by);
  };
  return (
    <div class="penstock-filter-panel" data-testid="penstock-filter-panel">
      {chips.length === 0 ? null : <FilterChips store={store} chips={chips} label="All filters" />}
      <HowSwitch store={store} />
      <fieldset>
        <legend>Show only</legend>
        {STATES.map((state) => (
          <StateBox key={state} session={session} state={state} />
        ))}
      </fieldset>
      <p class="penstock-note">Click a class in the class table to show its samples; Shift+click adds another.</p>
      <div class="penstock-filter-actions">
        <button
          {...focusable}
          type="button"
          class="penstock-button"
          disabled={!filtered}
          data-testid="penstock-filter-clear"
          onClick={() => void store.actions.clearFilter()}
        >
          Clear
        </button>
        <button
          {...focusable}
          type="button"
          class="penstock-button"
          disabled={!filtered}
          title="write what the grid shows into WHERE and run it"
          data-testid="penstock-filter-query"
          onClick={() => narrow("filter")}
        >
          Filter → query
        </button>
        <button
          {...focusable}
          type="button"
          class="penstock-button"
          disabled={selected === 0}
          title={
            selected === 0 ? "select samples first" : `write ${pluralText(selected, "sample")} into WHERE and run it`
          }
          data-testid="penstock-selection-query"
          onClick={() => narrow("selection")}
        >
          Selection → query
        </button>
      </div>
    </div>
  );
}

function StateBox({ session, state }: { session: Session; state: SampleState }) {
  const { store } = session;
  const dataset = store.dataset.value;
  const missing =
    (state === "unlabeled" && dataset?.label_tensor == null) ||
    (state === "unreadable" && dataset?.image_tensor == null);
  const count = countOf(session, state);
  return (
    <label class="penstock-check">
      <input
        {...focusable}
        type="checkbox"
        data-testid={`penstock-state-${state}`}
        checked={store.filter.value.states.includes(state)}
        disabled={missing}
        onChange={(event) => void store.actions.filterState(state, event.currentTarget.checked)}
      />
      {STATE_WORDS[state]}
      {count === null ? null : <span class="penstock-number">{countText(count)}</span>}
    </label>
  );
}

function countOf({ store, grid }: Session, state: SampleState): number | null {
  if (state === "selected") return grid.numSelected.value;
  return state === "edited" ? (store.dataset.value?.num_edits ?? 0) : null;
}
