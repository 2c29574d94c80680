// The statistics of a pool by which weight clauses match, as penstock.sampling's Strata.from_masks gives them.

import type { StatisticsArray, StatisticsHeader } from "../../session/protocol.ts";
import type { LabelColumn, Mask } from "./label-rows.ts";

/** Which samples a clause matches: one by one, or those with a class, of a table with very many. */
export type Matches = Mask | { column: LabelColumn; classIndex: number };

export function hasClass({ column, classIndex }: { column: LabelColumn; classIndex: number }, sample: number): boolean {
  const { offsets, values } = column;
  return values.subarray(offsets[sample], offsets[sample + 1]).includes(classIndex);
}

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

/** The same of classes in tables: by the labels of each sample, whatever the number of classes. */
function groupedByLabels(pool: Int32Array, matches: readonly Matches[]): { ids: Int32Array; patterns: number[][] } {
  const clausesOf = matchedBy(matches);
  const found = new Map<string, number>();
  const patterns: number[][] = [];
  const ids = pool.map((sample) => {
    const held = clausesOf(sample);
    const key = held.join();
    const known = found.get(key);
    if (known !== undefined) return known;
    found.set(key, patterns.length);
    patterns.push(held);
    return patterns.length - 1;
  });
  const order = [...patterns.keys()].sort((a, b) => byBits(patterns[a] as number[], patterns[b] as number[]));
  const places = new Int32Array(order.length);
  order.forEach((id, place) => {
    places[id] = place;
  });
  return { ids: ids.map((id) => places[id] as number), patterns: order.map((id) => patterns[id] as number[]) };
}

/** The clauses that match a sample, increasing. */
function matchedBy(matches: readonly Matches[]): (sample: number) => number[] {
  const dense = matches.flatMap((one, clause) => (one instanceof Uint8Array ? [{ mask: one, clause }] : []));
  const columns = new Map<LabelColumn, Map<number, number[]>>();
  matches.forEach((one, clause) => {
    if (one instanceof Uint8Array) return;
    const clauses = columns.get(one.column) ?? new Map<number, number[]>();
    columns.set(one.column, clauses.set(one.classIndex, [...(clauses.get(one.classIndex) ?? []), clause]));
  });
  return (sample) => {
    const held = new Set(dense.filter(({ mask }) => mask[sample] === 1).map(({ clause }) => clause));
    for (const [{ offsets, values }, clauses] of columns) {
      for (const id of values.subarray(offsets[sample], offsets[sample + 1]))
        for (const clause of clauses.get(id) ?? []) held.add(clause);
    }
    return [...held].sort((a, b) => a - b);
  };
}

/** As bit strings: who has the first clause that the other lacks comes later. */
function byBits(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [one, other] = [a[i] as number, b[i] as number];
    if (one !== other) return other - one;
  }
  return a.length - b.length;
}

function isMasks(matches: readonly Matches[]): matches is readonly Mask[] {
  return matches.every((one) => one instanceof Uint8Array);
}

interface Entry {
  rows: number;
  instances: number;
  squared: number;
  values: Map<number, number>; // instances in a row -> rows
}

export function countStrata(pool: Int32Array, matches: readonly Matches[], labels: Labels | null): Counted {
  const { ids, patterns } = isMasks(matches) ? grouped(pool, matches) : groupedByLabels(pool, matches);
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
    num_clauses: matches.length,
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
