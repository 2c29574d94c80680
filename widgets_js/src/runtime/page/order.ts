// What the grid of a page shows of the pool, and in which order: as penstock.widgets does it.
import type { GridState } from "../../session/protocol.ts";
import type { LabelColumn } from "./label-rows.ts";
import type { Samples } from "./samples.ts";

export function arranged(
  pool: Int32Array,
  { class_index, sort }: GridState,
  samples: Samples,
  labels: LabelColumn | undefined,
): Int32Array {
  const shown =
    class_index === null || labels === undefined ? pool : pool.filter((place) => has(labels, place, class_index));
  const key = keyOf(sort, samples, labels);
  return key === null ? shown : sortedBy(shown, key);
}

function has({ offsets, values }: LabelColumn, place: number, classIndex: number): boolean {
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
  return (place) => (labels.offsets[place] as number) - (labels.offsets[place + 1] as number);
}

function sortedBy(places: Int32Array, key: (place: number) => number): Int32Array {
  const keys = Float64Array.from(places, key);
  const order = Array.from(places.keys()).sort((a, b) => (keys[a] as number) - (keys[b] as number) || a - b);
  return Int32Array.from(order, (i) => places[i] as number);
}
