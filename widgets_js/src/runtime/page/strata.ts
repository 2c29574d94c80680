// The statistics of a pool by which weight clauses match, as penstock.sampling's Strata.from_masks gives them.

import type { StatisticsArray, StatisticsHeader } from "../../session/protocol.ts";
import type { Mask } from "./label-rows.ts";

export interface Labels {
  offsets: Int32Array;
  values: Int32Array;
  numClasses: number;
}

export interface Counted {
  header: StatisticsHeader;
  buffers: DataView[];
  ids: Int32Array; // stratum of each position of the pool
}

/** Strata in the order of their clause bit strings, the first clause foremost. */
function grouped(pool: Int32Array, masks: readonly Mask[]): { ids: Int32Array; patterns: number[][] } {
  let ids = new Int32Array(pool.length);
  let patterns: number[][] = pool.length > 0 ? [[]] : [];
  masks.forEach((mask, clause) => {
    const seen = new Uint8Array(2 * patterns.length);
    const codes = ids.map((id, i) => 2 * id + (mask[pool[i] as number] as number));
    for (const code of codes) seen[code] = 1;
    const places = new Int32Array(seen.length);
    const split: number[][] = [];
    seen.forEach((held, code) => {
      if (!held) return;
      places[code] = split.length;
      const before = patterns[code >> 1] as number[];
      split.push(code % 2 === 1 ? [...before, clause] : before);
    });
    ids = codes.map((code) => places[code] as number);
    patterns = split;
  });
  return { ids, patterns };
}

interface Entry {
  rows: number;
  instances: number;
  squared: number;
  values: Map<number, number>; // instances in a row -> rows
}

export function countStrata(pool: Int32Array, masks: readonly Mask[], labels: Labels | null): Counted {
  const { ids, patterns } = grouped(pool, masks);
  const sizes = new Float64Array(patterns.length);
  const unlabeled = new Float64Array(patterns.length);
  const entries = patterns.map(() => new Map<number, Entry>());
  ids.forEach((id, i) => {
    sizes[id] = (sizes[id] as number) + 1;
    if (labels !== null && countRow(entries[id] as Map<number, Entry>, labels, pool[i] as number) === 0)
      unlabeled[id] = (unlabeled[id] as number) + 1;
  });
  const arrays: [StatisticsArray, Float64Array | Int32Array][] = [
    ["sizes", sizes],
    ["clause_offsets", offsetsOf(patterns.map((ids) => ids.length))],
    ["clause_ids", Int32Array.from(patterns.flat())],
    ...classArrays(entries),
    ...(unlabeled.some((rows) => rows > 0) ? [["unlabeled", unlabeled] as [StatisticsArray, Float64Array]] : []),
  ];
  const header: StatisticsHeader = {
    num_rows: pool.length,
    num_strata: patterns.length,
    num_classes: labels?.numClasses ?? 0,
    num_clauses: masks.length,
    arrays: arrays.map(([name, array]) => ({
      name,
      dtype: array instanceof Float64Array ? "float64" : "int32",
      length: array.length,
    })),
    level: "clauses",
    bin_error: 0,
  };
  return { header, ids, buffers: arrays.map(([, array]) => new DataView(array.buffer)) };
}

/** Adds the classes of a sample; returns how many labels it has. */
function countRow(found: Map<number, Entry>, { offsets, values }: Labels, sample: number): number {
  const start = offsets[sample] as number;
  const stop = offsets[sample + 1] as number;
  for (let j = start; j < stop; j++) {
    const id = values[j] as number;
    let times = 0;
    let first = true;
    for (let k = start; k < stop; k++) {
      if (values[k] !== id) continue;
      if (k < j) first = false;
      times++;
    }
    if (first) addTimes(found, id, times);
  }
  return stop - start;
}

function addTimes(found: Map<number, Entry>, id: number, times: number): void {
  let entry = found.get(id);
  if (entry === undefined) {
    entry = { rows: 0, instances: 0, squared: 0, values: new Map() };
    found.set(id, entry);
  }
  entry.rows++;
  entry.instances += times;
  entry.squared += times * times;
  entry.values.set(times, (entry.values.get(times) ?? 0) + 1);
}

function offsetsOf(lengths: readonly number[]): Int32Array {
  const offsets = new Int32Array(lengths.length + 1);
  lengths.forEach((length, i) => {
    offsets[i + 1] = (offsets[i] as number) + length;
  });
  return offsets;
}

function classArrays(strata: readonly Map<number, Entry>[]): [StatisticsArray, Float64Array | Int32Array][] {
  const sorted = strata.map((found) => [...found].sort(([a], [b]) => a - b));
  const flat = sorted.flat();
  const entries = flat.map(([, entry]) => entry);
  // only where a row has a class more than once, and only of entries whose rows differ
  const several = entries.some((entry) => entry.instances > entry.rows);
  const values = entries.map(({ values }) =>
    values.size > 1 ? [...values].sort(([a], [b]) => a - b) : ([] as [number, number][]),
  );
  return [
    ["class_offsets", offsetsOf(sorted.map((found) => found.length))],
    ["class_ids", Int32Array.from(flat, ([id]) => id)],
    ["rows_with_class", Float64Array.from(entries, ({ rows }) => rows)],
    ["instances", Float64Array.from(entries, ({ instances }) => instances)],
    ["instances_squared", Float64Array.from(entries, ({ squared }) => squared)],
    ...(several
      ? ([
          ["value_offsets", offsetsOf(values.map((found) => found.length))],
          ["value_counts", Int32Array.from(values.flat(), ([count]) => count)],
          ["value_rows", Float64Array.from(values.flat(), ([, rows]) => rows)],
        ] as [StatisticsArray, Float64Array | Int32Array][])
      : []),
  ];
}
