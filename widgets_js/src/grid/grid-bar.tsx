import type { ComponentChildren } from "preact";
import type { GridSort } from "../session/grid-session.ts";
import type { Session } from "../session/session.ts";
import type { Store } from "../session/store.ts";
import { focusable } from "../ui/focus.ts";
import { countText } from "../ui/number-text.ts";

/** Above the grid: how many samples, which, in what order, how large. */
export function GridBar({ session, children }: { session: Session; children?: ComponentChildren }) {
  const { store, grid } = session;
  const query = store.query.value;
  const filter = store.classFilter.value;
  return (
    <div class="penstock-bar">
      <span data-testid="penstock-pool">
        pool {countText(query?.pool_size ?? store.snapshot.value?.pool_size ?? 0)} of{" "}
        {countText(query?.num_rows ?? store.snapshot.value?.dataset.num_samples ?? 0)}
      </span>
      {filter === null ? null : (
        <button
          {...focusable}
          type="button"
          class="penstock-pill"
          aria-pressed="true"
          title="show the whole pool"
          onClick={() => void store.actions.filterClass(null)}
        >
          {store.classNames.value[filter]} {countText(store.gridSize.value)} ✕
        </button>
      )}
      {children}
      <span class="penstock-grow" />
      <select
        {...focusable}
        class="penstock-sort"
        aria-label="Order of the samples"
        data-testid="penstock-sort"
        value={grid.sort.value}
        disabled={!store.isLive.value}
        onChange={(event) => void grid.sortBy(event.currentTarget.value as GridSort)}
      >
        <option value="query">query order ▾</option>
        <option value="row">by row ▾</option>
        <option value="labels">most labels ▾</option>
      </select>
      <fieldset class="penstock-sizes" aria-label="Size of the tiles">
        {(["small", "medium", "large"] as const).map((size) => (
          <button
            {...focusable}
            key={size}
            type="button"
            aria-label={`${size} tiles`}
            aria-pressed={grid.size.value === size}
            title={`${size} tiles`}
            onClick={() => {
              grid.size.value = size;
            }}
          >
            <i class={`penstock-size-${size}`} />
          </button>
        ))}
      </fieldset>
      {store.dataset.value?.box_tensor == null ? null : (
        <label class="penstock-check">
          <input
            {...focusable}
            type="checkbox"
            checked={grid.boxes.value}
            onChange={(event) => (grid.boxes.value = event.currentTarget.checked)}
          />{" "}
          boxes
        </label>
      )}
      <OpenedNote store={store} />
    </div>
  );
}

const OPENED = {
  view: { text: "View: charts count its rows, not the dataset.", title: "The class list counts the whole dataset." },
  "frozen view": {
    text: "Frozen view: charts count its rows, drawn once, not the dataset.",
    title: "A view made by SAMPLE BY keeps the rows of its first epoch. The class list counts the whole dataset.",
  },
} as const;

/** Whose rows the pool and the charts are of, where that is not the dataset. */
function OpenedNote({ store }: { store: Store }) {
  const opened = store.dataset.value?.opened ?? "dataset";
  if (opened === "dataset") return null;
  return (
    <p class="penstock-opened" title={OPENED[opened].title} data-testid="penstock-opened">
      {OPENED[opened].text}
    </p>
  );
}
