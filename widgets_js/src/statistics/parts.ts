// What chance adds to the count of a class in the first epoch, for each mode, as penstock.sampling.laws._parts.
import type { Statistics } from "../session/statistics-arrays.ts";
import { inclusion } from "./once.ts";
import { type DrawPlan, masses } from "./plan.ts";
import { quotas } from "./quotas.ts";
import type { Part, Split } from "./sum-law.ts";

/** Rows with a class: their stratum, instances in each of them, how many rows. */
export interface ClassValues {
  readonly strata: number[];
  readonly counts: number[];
  readonly rows: number[];
}

const MOST_STRATA = 32;
const known = new WeakMap<Statistics, Map<number, ClassValues>>();

/** Of the classes that come more than once in some row. */
export function classValues(statistics: Statistics): Map<number, ClassValues> {
  const found = known.get(statistics);
  if (found !== undefined) return found;
  const { classIds, classOffsets, rowsWithClass, instances, values } = statistics;
  const made = new Map<number, ClassValues>();
  if (values !== null) {
    classIds.forEach((id, j) => {
      if (rowsWithClass[j] !== instances[j]) made.set(id, { strata: [], counts: [], rows: [] });
    });
    for (let s = 0; s < statistics.sizes.length; s++) {
      for (let j = classOffsets[s] as number; j < (classOffsets[s + 1] as number); j++) {
        const own = made.get(classIds[j] as number);
        if (own !== undefined) addEntry(own, s, j, statistics);
      }
    }
  }
  known.set(statistics, made);
  return made;
}

function addEntry(own: ClassValues, stratum: number, entry: number, statistics: Statistics): void {
  const { rowsWithClass, instances, values } = statistics;
  if (values === null) return;
  const first = values.offsets[entry] as number;
  const last = values.offsets[entry + 1] as number;
  if (first === last) {
    const rows = rowsWithClass[entry] as number;
    add(own, stratum, (instances[entry] as number) / rows, rows);
  }
  for (let v = first; v < last; v++) add(own, stratum, values.counts[v] as number, values.rows[v] as number);
}

function add({ strata, counts, rows }: ClassValues, stratum: number, count: number, number: number): void {
  strata.push(stratum);
  counts.push(count);
  rows.push(number);
}

/** Of a plan, what it needs to split the count of any class. */
export function splitter(plan: DrawPlan): (values: ClassValues) => Split {
  const { sizes } = plan.statistics;
  if (plan.mode === "iid") return (values) => drawnParts(values, plan);
  if (plan.mode === "deck") {
    const dealt = quotas(masses(plan), plan.draws);
    return (values) => dealtParts(values, sizes, dealt);
  }
  const included = inclusion(sizes, plan.weights, plan.draws);
  return (values) => includedParts(values, sizes, included, plan.draws);
}

/** Sums by number of instances, ascending. */
function byCount(counts: readonly number[], amounts: readonly number[]): [number, number][] {
  const sums = new Map<number, number>();
  for (const [i, count] of counts.entries()) sums.set(count, (sums.get(count) ?? 0) + (amounts[i] as number));
  return [...sums].sort(([a], [b]) => a - b);
}

/** The count with the largest amount, the smallest of these. */
function usualOf(amounts: readonly [number, number][]): number {
  return amounts.reduce((best, one) => (one[1] > best[1] ? one : best))[0];
}

/** Independent draws: exact. */
function drawnParts({ strata, counts, rows }: ClassValues, { weights, total, draws }: DrawPlan): Split {
  const amounts = strata.map((s, i) => ((weights[s] as number) / total) * (rows[i] as number));
  const some = byCount(counts, amounts);
  const none = 1 - some.reduce((sum, [, share]) => sum + share, 0);
  const shares: [number, number][] = [[0, Math.max(none, 0)], ...some];
  const usual = usualOf(shares);
  const others = shares.filter(([count, share]) => count !== usual && share > 0);
  const expected = others.map(([, share]) => draws * share);
  const all = expected.reduce((sum, n) => sum + n, 0);
  const part = {
    jumps: others.map(([count]) => count - usual),
    expected,
    gap: all ** 2 / draws,
    trials: draws,
    choice: null,
  };
  return { fixed: draws * usual, parts: others.length > 0 ? [part] : [] };
}

/** The first epoch of a deck: of each stratum whole deals, and the beginning of one more. */
function dealtParts(values: ClassValues, sizes: Float64Array, dealt: Float64Array): Split {
  let fixed = 0;
  const rest = dealt.map((quota, s) => quota % (sizes[s] as number));
  values.strata.forEach((s, i) => {
    const deals = Math.floor((dealt[s] as number) / (sizes[s] as number));
    fixed += deals * (values.counts[i] as number) * (values.rows[i] as number);
  });
  const open = new Set(values.strata.filter((s) => (rest[s] as number) > 0));
  const taken = [...rest.keys()]
    .filter((s) => (rest[s] as number) > 0)
    .map((s) => ({ stratum: s, size: sizes[s] as number, taken: rest[s] as number }));
  if (open.size <= MOST_STRATA)
    return each(
      taken.filter(({ stratum }) => open.has(stratum)),
      values,
      fixed,
    );
  const spread = (marked: readonly number[]) =>
    taken.reduce((sum, one, t) => {
      const m = marked[t] as number;
      return sum + ((one.taken * (one.size - one.taken)) / Math.max(one.size - 1, 1)) * m * (1 - m);
    }, 0);
  return fitted(taken, values, { fixed, spread });
}

interface Taken {
  readonly stratum: number;
  readonly size: number;
  readonly taken: number;
}

/** Draws without replacement: exact where all rows that can come are equally likely. */
function includedParts(values: ClassValues, sizes: Float64Array, included: Float64Array, draws: number): Split {
  const live = [...included.keys()].filter((s) => (included[s] as number) > 0);
  const places = [...values.strata.keys()].filter((i) => (included[values.strata[i] as number] as number) > 0);
  const pick = (list: readonly number[]) => places.map((i) => list[i] as number);
  const kept = { strata: pick(values.strata), counts: pick(values.counts), rows: pick(values.rows) };
  const size = live.reduce((sum, s) => sum + (sizes[s] as number), 0);
  if (draws >= size) {
    return { fixed: kept.counts.reduce((sum, count, i) => sum + count * (kept.rows[i] as number), 0), parts: [] };
  }
  const shares = live.map((s) => included[s] as number);
  if (Math.max(...shares) - Math.min(...shares) <= 1e-12) {
    return each([{ stratum: 0, size, taken: draws }], { ...kept, strata: kept.strata.map(() => 0) }, 0);
  }
  const taken = live.map((s) => ({
    stratum: s,
    size: sizes[s] as number,
    taken: (included[s] as number) * (sizes[s] as number),
  }));
  const spread = (marked: readonly number[], sign: readonly number[]) => {
    let [own, linear, all] = [0, 0, 0];
    taken.forEach((one, t) => {
      const v = one.taken * (1 - one.taken / one.size);
      own += v * (marked[t] as number);
      linear += v * (marked[t] as number) * (sign[t] as number);
      all += v;
    });
    return own - linear ** 2 / all;
  };
  return fitted(taken, kept, { fixed: 0, spread, draws });
}

/** A law for each part; of more than half of the rows, what is left out is chosen. */
function each(taken: readonly Taken[], values: ClassValues, certain: number): Split {
  let fixed = certain;
  const parts: Part[] = [];
  for (const { stratum, size, taken: number } of taken) {
    const places = [...values.strata.keys()].filter((i) => values.strata[i] === stratum);
    const some = byCount(
      places.map((i) => values.counts[i] as number),
      places.map((i) => values.rows[i] as number),
    );
    const leaves = 2 * number > size;
    const [count, sign] = leaves ? [size - number, -1] : [number, 1];
    if (leaves) fixed += some.reduce((sum, [k, rows]) => sum + k * rows, 0);
    const bare = size - some.reduce((sum, [, rows]) => sum + rows, 0);
    const amounts: [number, number][] = [[0, bare], ...some];
    const usual = usualOf(amounts);
    fixed += sign * usual * count;
    const others = amounts.filter(([k, rows]) => k !== usual && rows > 0);
    if (others.length === 0 || count === 0) continue;
    const rows = others.map(([, n]) => n);
    const expected = rows.map((n) => (n * count) / size);
    parts.push({ jumps: others.map(([k]) => sign * (k - usual)), rows, expected, size, taken: count });
  }
  return { fixed, parts };
}

interface Fit {
  readonly fixed: number;
  readonly spread: (marked: readonly number[], sign: readonly number[]) => number;
  readonly draws?: number;
}

/** One binomial law of the rows that bring other than the usual number of instances. */
function fitted(taken: readonly Taken[], values: ClassValues, { fixed, spread, draws }: Fit): Split {
  const share = taken.map((one) => one.taken / one.size);
  const { entries, counts, rows } = withBare(taken, values);
  const usual = usualOf(
    byCount(
      counts,
      entries.map((t, i) => (share[t] as number) * (rows[i] as number)),
    ),
  );
  const total = draws ?? Math.round(taken.reduce((sum, one) => sum + one.taken, 0));
  const sign = share.map((one) => (one > 0.5 ? -1 : 1));
  const choice = { shares: entries.map((t) => share[t] as number), counts, rows, draws: total, fixed };
  let certain = fixed + total * usual;
  const jumps: number[] = [];
  const expected: number[] = [];
  const marked = taken.map(() => 0);
  entries.forEach((t, i) => {
    const jump = (counts[i] as number) - usual;
    if (jump === 0) return;
    const number = rows[i] as number;
    const part = share[t] as number;
    if (part > 0.5) certain += jump * number;
    jumps.push(jump * (sign[t] as number));
    expected.push(Math.min(part, 1 - part) * number);
    marked[t] = (marked[t] as number) + number;
  });
  const all = expected.reduce((sum, n) => sum + n, 0);
  const gap =
    all -
    spread(
      marked.map((n, t) => n / (taken[t] as Taken).size),
      sign,
    );
  return { fixed: certain, parts: jumps.length > 0 ? [{ jumps, expected, gap, trials: null, choice }] : [] };
}

/** Part, instances and rows of what is taken from, rows without an instance too. */
function withBare(
  taken: readonly Taken[],
  values: ClassValues,
): { entries: number[]; counts: number[]; rows: number[] } {
  const places = new Map(taken.map(({ stratum }, t) => [stratum, t]));
  const entries: number[] = [];
  const counts: number[] = [];
  const rows: number[] = [];
  const bare = taken.map(({ size }) => size);
  values.strata.forEach((s, i) => {
    const t = places.get(s);
    if (t === undefined) return;
    entries.push(t);
    counts.push(values.counts[i] as number);
    rows.push(values.rows[i] as number);
    bare[t] = (bare[t] as number) - (values.rows[i] as number);
  });
  bare.forEach((number, t) => {
    if (number <= 0) return;
    entries.push(t);
    counts.push(0);
    rows.push(number);
  });
  return { entries, counts, rows };
}
