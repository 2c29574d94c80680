// What the grid of a page shows of the pool, and in which order: as penstock/widgets/session/_filter.py and _order.py.
import type { GridFilter, GridSort, GridState, SampleState } from "../../session/protocol.ts";
import { needsKernel } from "./label-query.ts";
import type { LabelColumn } from "./label-rows.ts";
import type { Samples } from "./samples.ts";

/** Of each position of the pool; called only where the order needs it. */
export interface ByWeight {
  weight: () => Float64Array;
  drawn: () => Float64Array;
}

/** Places of the samples shown, in the order of the grid. */
export function arranged(
  pool: Int32Array,
  { filter, sort, descending }: GridState,
  samples: Samples,
  labels: LabelColumn | undefined,
  selected: ReadonlySet<number>,
  byWeight: ByWeight,
): Int32Array {
  const fits = (place: number): boolean =>
    inClasses(filter, labels, place) &&
    filter.states.every((state) => inState(state, samples, labels, selected, place));
  const shown = Int32Array.from(pool.keys()).filter((i) => fits(pool[i] as number));
  const ordered = sort === "query" && descending ? shown.reverse() : shown;
  const keys = sort === "query" ? null : keysOf(sort, descending, pool, samples, labels, byWeight);
  return (keys === null ? ordered : sortedBy(ordered, keys, descending)).map((i) => pool[i] as number);
}

function inClasses({ classes, how }: GridFilter, labels: LabelColumn | undefined, place: number): boolean {
  if (classes.length === 0 || labels === undefined) return true;
  const own = new Set(labels.values.subarray(labels.offsets[place], labels.offsets[place + 1]));
  if (how === "all") return classes.every((index) => own.has(index));
  return classes.some((index) => own.has(index)) === (how === "any");
}

function inState(
  state: SampleState,
  samples: Samples,
  labels: LabelColumn | undefined,
  selected: ReadonlySet<number>,
  place: number,
): boolean {
  if (state === "selected") return selected.has(place);
  if (state === "edited") return samples.edited.has(place);
  if (state === "unreadable") return samples.isUnreadable(place);
  return labels === undefined || labels.offsets[place] === labels.offsets[place + 1];
}

/** By position of the pool; NaN: without a value. */
function keysOf(
  sort: GridSort,
  descending: boolean,
  pool: Int32Array,
  samples: Samples,
  labels: LabelColumn | undefined,
  byWeight: ByWeight,
): Float64Array {
  const of = (key: (place: number) => number): Float64Array => Float64Array.from(pool, key);
  if (sort === "weight") return byWeight.weight();
  if (sort === "drawn") return byWeight.drawn();
  if (sort === "row") return of((place) => samples.rows[place] as number);
  if (sort === "box_area") return of((place) => samples.boxArea(place, descending));
  if (sort === "image_size") return of((place) => samples.pixels(place));
  if (sort === "labels")
    return of((place) => (labels ? (labels.offsets[place + 1] as number) - (labels.offsets[place] as number) : 0));
  const column = samples.column(sort.slice("tensor:".length));
  if (column === undefined || !column.single) throw needsKernel(undefined, "Sorting by this needs a kernel.");
  return of((place) =>
    column.offsets[place] === column.offsets[place + 1]
      ? Number.NaN
      : (column.values[column.offsets[place] as number] as number),
  );
}

/** Equal ones stay as they are, and what has no value comes last either way. */
function sortedBy(positions: Int32Array, keys: Float64Array, descending: boolean): Int32Array {
  const sign = descending ? -1 : 1;
  const key = (i: number): number => (Number.isNaN(keys[i]) ? Number.POSITIVE_INFINITY : sign * (keys[i] as number));
  const order = Array.from(positions.keys(), (at) => ({ at, key: key(positions[at] as number) }));
  order.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.at - b.at));
  return Int32Array.from(order, ({ at }) => positions[at] as number);
}

/** Intervals [start, stop) of the positions whose sample is selected. */
export function selectedIntervals(shown: Int32Array, selected: ReadonlySet<number>): [number, number][] {
  const found: [number, number][] = [];
  if (selected.size === 0) return found;
  shown.forEach((place, position) => {
    if (!selected.has(place)) return;
    const last = found.at(-1);
    if (last !== undefined && last[1] === position) last[1]++;
    else found.push([position, position + 1]);
  });
  return found;
}
