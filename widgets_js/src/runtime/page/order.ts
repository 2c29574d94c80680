// What the grid of a page shows of the pool, and in which order: as penstock.widgets does it.
import type { GridFilter, GridState } from "../../session/protocol.ts";
import type { LabelColumn } from "./label-rows.ts";
import type { Samples } from "./samples.ts";

/** Orders that a page has what it needs for; the kernel has more. */
export const PAGE_SORTS: readonly GridState["sort"][] = ["query", "row", "labels"];

export function arranged(
  pool: Int32Array,
  { filter, sort, descending, selection }: GridState,
  before: Int32Array,
  samples: Samples,
  labels: LabelColumn | undefined,
): Int32Array {
  const selected = new Set(selection.flatMap(([start, stop]) => [...before.subarray(start, stop)]));
  const shown = pool.filter((place) => passes(filter, place, labels, selected));
  const key = keyOf(sort, samples, labels);
  return key === null ? (descending ? shown.reverse() : shown) : sortedBy(shown, key, descending ? -1 : 1);
}

function passes(
  { classes, how, states }: GridFilter,
  place: number,
  labels: LabelColumn | undefined,
  selected: ReadonlySet<number>,
): boolean {
  if (states.includes("selected") && !selected.has(place)) return false;
  if (labels === undefined) return true;
  if (states.includes("unlabeled") && labels.offsets[place] !== labels.offsets[place + 1]) return false;
  if (classes.length === 0) return true;
  const has = (classIndex: number): boolean => hasClass(labels, place, classIndex);
  if (how === "all") return classes.every(has);
  return classes.some(has) === (how === "any");
}

function hasClass({ offsets, values }: LabelColumn, place: number, classIndex: number): boolean {
  for (let j = offsets[place] as number; j < (offsets[place + 1] as number); j++) {
    if (values[j] === classIndex) return true;
  }
  return false;
}

function keyOf(
  sort: GridState["sort"],
  samples: Samples,
  labels: LabelColumn | undefined,
): ((place: number) => number) | null {
  if (sort === "row") return (place) => samples.rows[place] as number;
  if (sort !== "labels" || labels === undefined) return null;
  return (place) => (labels.offsets[place + 1] as number) - (labels.offsets[place] as number);
}

function sortedBy(places: Int32Array, key: (place: number) => number, sign: 1 | -1): Int32Array {
  const keys = Float64Array.from(places, key);
  const order = Array.from(places.keys()).sort((a, b) => sign * ((keys[a] as number) - (keys[b] as number)) || a - b);
  return Int32Array.from(order, (i) => places[i] as number);
}
