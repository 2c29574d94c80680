import type { ComponentChildren } from "preact";
import { isFiltered } from "../session/grid-filter.ts";
import type { GridFilter } from "../session/protocol.ts";
import type { Session } from "../session/session.ts";
import type { Store } from "../session/store.ts";
import { focusable } from "../ui/focus.ts";
import { useMeasuredWidth } from "../ui/measured-width.ts";
import { countText, pluralText } from "../ui/number-text.ts";
import { FilterChips, HowSwitch } from "./filter-chips.tsx";
import { FilterMenu, ToQuery } from "./filter-menu.tsx";
import { type Chip, chipsOf } from "./filter-words.ts";
import { GridSortMenu } from "./grid-sort.tsx";

/** Room in pixels that chips need to be read, the switch of several classes, and what else there may be. */
const CHIP = 46;
const LETTER = 6.5;
const MOST_LETTERS = 9; // longer ones may shrink to these
const SWITCH = 96;
const TO_QUERY = 58;

function roomFor(chips: readonly Chip[], { classes, how }: GridFilter): number {
  const texts = chips.map(({ text }) => CHIP + LETTER * Math.min(text.length, MOST_LETTERS));
  const all = texts.reduce((sum, one) => sum + one, 0);
  return all + (classes.length > 1 || how !== "any" ? SWITCH : 0);
}

/** Above the grid, one line: how many samples, which, in what order, how large. */
export function GridBar({ session, children }: { session: Session; children?: ComponentChildren }) {
  const { store } = session;
  const chips = chipsOf(store);
  const [room, width] = useMeasuredWidth<HTMLDivElement>(600);
  const needed = roomFor(chips, store.filter.value);
  return (
    <>
      <div
        class="penstock-bar penstock-grid-bar"
        data-folded={chips.length > 0 && needed > width}
        data-chips={chips.length > 0}
      >
        <Counts store={store} />
        <Held store={store} />
        <FilterMenu session={session} chips={chips} />
        <div class="penstock-filters" ref={room} data-testid="penstock-filters">
          <HowSwitch store={store} />
          {chips.length === 0 ? null : <FilterChips store={store} chips={chips} label="Filters" />}
          {width - needed < TO_QUERY ? null : <ToQuery store={store} />}
        </div>
        {children}
        <GridSortMenu session={session} />
        <Sizes session={session} />
        <Boxes session={session} />
      </div>
      <OpenedNote store={store} />
    </>
  );
}

/** Samples of the query and of the dataset; under a filter those shown, and those of the query. */
function Counts({ store }: { store: Store }) {
  const pool = store.query.value?.pool_size ?? store.snapshot.value?.pool_size ?? 0;
  const all = store.query.value?.num_rows ?? store.snapshot.value?.dataset.num_samples ?? 0;
  const filtered = isFiltered(store.filter.value) && store.grid.value !== null;
  const matching = store.gridSize.value - (store.grid.value?.held ?? 0);
  const [shown, of] = filtered ? [matching, pool] : [pool, all];
  const title = `${filtered ? `${countText(shown)} match the filter; ` : ""}${countText(pool)} match the query, of ${pluralText(all, "sample")}`;
  return (
    <span class="penstock-count" data-testid="penstock-pool" title={title}>
      <b>{countText(shown)}</b>
      <span class="penstock-count-of"> of {countText(of)}</span>
    </span>
  );
}

/** Edits take nothing out of the grid by themselves, so that the next step goes to the next sample; this does. */
function Held({ store }: { store: Store }) {
  const { held = 0, stale = false } = store.grid.value ?? {};
  if (!stale) return null;
  const words = held > 0 ? `${countText(held)} no longer ${held === 1 ? "matches" : "match"}` : "the order has changed";
  return (
    <button
      {...focusable}
      type="button"
      class="penstock-link penstock-held-link"
      aria-label={`Update the grid: ${words}`}
      title={`${words}, after your edits. The grid keeps its samples in place until you update it.`}
      disabled={!store.isLive.value}
      data-testid="penstock-update-grid"
      onClick={() => void store.actions.updateGrid()}
    >
      ↻{held > 0 ? <b>{countText(held)}</b> : null}
      <span>{held > 0 ? (held === 1 ? "no longer matches" : "no longer match") : "update"}</span>
    </button>
  );
}

const SIZES = ["small", "medium", "large"] as const;

/** One button for each size; where there is little room one button for all, which takes the next. */
function Sizes({ session: { grid } }: { session: Session }) {
  const now = grid.size.value;
  const next = SIZES[(SIZES.indexOf(now) + 1) % SIZES.length] ?? "medium";
  return (
    <>
      <AllSizes grid={grid} />
      <button
        {...focusable}
        type="button"
        class="penstock-next-size"
        aria-label={`Tiles: ${now}; show ${next} ones`}
        title={`${now} tiles; click for ${next} ones`}
        data-testid="penstock-next-size"
        onClick={() => {
          grid.size.value = next;
        }}
      >
        <i class={`penstock-size-${now}`} />
      </button>
    </>
  );
}

function AllSizes({ grid }: { grid: Session["grid"] }) {
  return (
    <fieldset class="penstock-sizes" aria-label="Size of the tiles">
      {SIZES.map((size) => (
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
  );
}

function Boxes({ session: { store, grid } }: { session: Session }) {
  if (store.dataset.value?.box_tensor == null) return null;
  const on = grid.boxes.value;
  return (
    <button
      {...focusable}
      type="button"
      class="penstock-boxes"
      aria-label="boxes"
      aria-pressed={on}
      title={on ? "hide the boxes" : "show the boxes"}
      data-testid="penstock-boxes"
      onClick={() => {
        grid.boxes.value = !on;
      }}
    >
      <i aria-hidden="true" />
    </button>
  );
}

const OPENED = {
  view: { text: "View: charts count its rows, not the dataset.", title: "The class picker counts the whole dataset." },
  "frozen view": {
    text: "Frozen view: charts count its rows, drawn once, not the dataset.",
    title: "A view made by SAMPLE BY keeps the rows of its first epoch. The class picker counts the whole dataset.",
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
