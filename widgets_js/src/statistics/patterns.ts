// A deck is dealt from clause patterns, never from label sets: finer strata are merged into those before anything is drawn.
import type { Statistics } from "../session/statistics-arrays.ts";

/** The same pool, one stratum for each set of matching clauses, in the order of their bit strings. */
export function clausePatterns(statistics: Statistics): Statistics {
  if (statistics.header.level !== "label_sets") return statistics;
  const { clauseOffsets, clauseIds, header } = statistics;
  const patterns = new Map<string, { ids: Int32Array; strata: number[] }>();
  for (let s = 0; s < header.num_strata; s++) {
    const ids = clauseIds.subarray(clauseOffsets[s], clauseOffsets[s + 1]);
    const bits = Array.from({ length: header.num_clauses }, (_, k) => (ids.includes(k) ? "1" : "0")).join("");
    const found = patterns.get(bits);
    if (found === undefined) patterns.set(bits, { ids, strata: [s] });
    else found.strata.push(s);
  }
  const ordered = [...patterns].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, pattern]) => pattern);
  return {
    ...statistics,
    ...merged(statistics, ordered),
    header: { ...header, num_strata: ordered.length, level: "clauses" },
  };
}

type Merged = Omit<Statistics, "header" | "weights">;

function merged(statistics: Statistics, patterns: readonly { ids: Int32Array; strata: number[] }[]): Merged {
  const sizes = new Float64Array(patterns.length);
  const clauseOffsets = new Int32Array(patterns.length + 1);
  const classOffsets = new Int32Array(patterns.length + 1);
  const clauseIds: number[] = [];
  const classIds: number[] = [];
  const sums: [number[], number[], number[]] = [[], [], []];
  const values: [number[], number[], number[]] = [[0], [], []]; // offsets, counts, rows
  patterns.forEach(({ ids, strata }, at) => {
    sizes[at] = strata.reduce((sum, s) => sum + (statistics.sizes[s] as number), 0);
    clauseIds.push(...ids);
    clauseOffsets[at + 1] = clauseIds.length;
    for (const [id, counts] of classSums(statistics, strata)) {
      classIds.push(id);
      for (const [i, list] of sums.entries()) list.push(counts[i] as number);
      addValues(values, rowsByCount(statistics, strata, id));
    }
    classOffsets[at + 1] = classIds.length;
  });
  return {
    sizes,
    clauseOffsets,
    clauseIds: Int32Array.from(clauseIds),
    classOffsets,
    classIds: Int32Array.from(classIds),
    rowsWithClass: Float64Array.from(sums[0]),
    instances: Float64Array.from(sums[1]),
    instancesSquared: Float64Array.from(sums[2]),
    values: statistics.values && {
      offsets: Int32Array.from(values[0]),
      counts: Int32Array.from(values[1]),
      rows: Float64Array.from(values[2]),
    },
    unlabeled: statistics.unlabeled && summed(statistics.unlabeled, patterns),
    folded: statistics.folded && { ...statistics.folded, strata: renumbered(statistics.folded.strata, patterns) },
  };
}

/** Rows of some strata by how often they have a class, ascending; empty where nothing tells. */
function rowsByCount(
  { classOffsets, classIds, rowsWithClass, instances, values }: Statistics,
  strata: readonly number[],
  id: number,
): [number, number][] {
  const found = new Map<number, number>();
  if (values === null) return [];
  const add = (count: number, rows: number) => found.set(count, (found.get(count) ?? 0) + rows);
  for (const s of strata) {
    const at = classIds.subarray(classOffsets[s], classOffsets[s + 1]).indexOf(id);
    if (at < 0) continue;
    const entry = (classOffsets[s] as number) + at;
    const first = values.offsets[entry] as number;
    const last = values.offsets[entry + 1] as number;
    const rows = rowsWithClass[entry] as number;
    if (first === last) add((instances[entry] as number) / rows, rows);
    for (let v = first; v < last; v++) add(values.counts[v] as number, values.rows[v] as number);
  }
  return [...found].sort(([a], [b]) => a - b);
}

function addValues([offsets, counts, rows]: [number[], number[], number[]], found: readonly [number, number][]): void {
  for (const [count, number] of found.length > 1 ? found : []) {
    counts.push(count);
    rows.push(number);
  }
  offsets.push(counts.length);
}

function summed(counts: Float64Array, patterns: readonly { strata: number[] }[]): Float64Array {
  return Float64Array.from(patterns, ({ strata }) => strata.reduce((sum, s) => sum + (counts[s] as number), 0));
}

function renumbered(strata: Int32Array, patterns: readonly { strata: number[] }[]): Int32Array {
  const places = new Map(patterns.flatMap((pattern, at) => pattern.strata.map((s) => [s, at] as const)));
  return strata.map((s) => places.get(s) as number);
}

/** R, A and B of each class over some strata, ascending by class. */
function classSums(statistics: Statistics, strata: readonly number[]): [number, number[]][] {
  const { classOffsets, classIds, rowsWithClass, instances, instancesSquared } = statistics;
  const sums = new Map<number, number[]>();
  for (const s of strata) {
    for (let j = classOffsets[s] as number; j < (classOffsets[s + 1] as number); j++) {
      const id = classIds[j] as number;
      const before = sums.get(id) ?? [0, 0, 0];
      const entry = [rowsWithClass[j], instances[j], instancesSquared[j]] as number[];
      sums.set(
        id,
        before.map((sum, i) => sum + (entry[i] as number)),
      );
    }
  }
  return [...sums].sort(([a], [b]) => a - b);
}
