import type { Unit } from "../session/protocol.ts";
import type { Statistics } from "../session/statistics-arrays.ts";
import type { Histogram } from "./histogram.ts";

const LIFTED = 1.1;
const LOWERED = 0.9;

/** A class nobody named that moved with one that was named. */
export interface CarriedClass {
  readonly classIndex: number;
  readonly ratio: number; // its lift over what is common to all
}

export interface Lift {
  readonly others: number; // draws of a row no clause names, in an epoch; NaN without such a row
  readonly common: number; // the same; without such a row, draws of every row under equal weights
  readonly carried: readonly CarriedClass[]; // largest change first
}

export interface LiftRequest {
  readonly statistics: Statistics;
  readonly histogram: Histogram;
  readonly meanDraws: Float64Array; // of one row of each stratum, in an epoch
  readonly draws: number;
  readonly named: ReadonlySet<number>; // clauses, all but those that match every row
  readonly namedClasses: ReadonlySet<number>;
}

/** Which classes moved without being asked. */
export function implicitLift(request: LiftRequest): Lift {
  const { statistics, histogram, meanDraws, draws, named, namedClasses } = request;
  const equal = draws / statistics.header.num_rows;
  const others = commonDraws(statistics, meanDraws, named);
  const common = Number.isNaN(others) ? equal : others;
  const carried: CarriedClass[] = [];
  if (named.size === 0 || Number.isNaN(equal)) return { others, common, carried };
  histogram.raw.forEach((raw, classIndex) => {
    const undisturbed = raw * common;
    if (raw === 0 || namedClasses.has(classIndex)) return;
    const ratio = (histogram.expected[classIndex] as number) / undisturbed;
    const low = histogram.low[classIndex] as number;
    const high = histogram.high[classIndex] as number;
    const outside = undisturbed < low || undisturbed > high;
    if (outside && (ratio >= LIFTED || ratio <= LOWERED)) carried.push({ classIndex, ratio });
  });
  carried.sort((a, b) => Math.abs(Math.log(b.ratio)) - Math.abs(Math.log(a.ratio)) || 0); // of rows never drawn: infinite
  return { others, common, carried };
}

/** Draws of a row that no clause names, in the largest such stratum. */
function commonDraws(
  { sizes, clauseOffsets, clauseIds }: Statistics,
  meanDraws: Float64Array,
  named: ReadonlySet<number>,
) {
  let found = -1;
  for (let s = 0; s < sizes.length; s++) {
    const ids = clauseIds.subarray(clauseOffsets[s], clauseOffsets[s + 1]);
    if (ids.some((id) => named.has(id))) continue;
    if (found < 0 || (sizes[s] as number) > (sizes[found] as number)) found = s;
  }
  return found < 0 ? Number.NaN : (meanDraws[found] as number);
}

/** The clause on whose rows a class gains (or loses) most against rows that no clause names. */
export function carrier(request: LiftRequest, lift: Lift, classIndex: number, unit: Unit): number | null {
  const { statistics, meanDraws, named } = request;
  const { classOffsets, classIds, clauseOffsets, clauseIds, rowsWithClass, instances } = statistics;
  const counts = unit === "samples" ? rowsWithClass : instances;
  const gain = new Float64Array(statistics.header.num_clauses);
  for (let s = 0; s < meanDraws.length; s++) {
    const at = entryOf(classIds, classOffsets[s] as number, classOffsets[s + 1] as number, classIndex);
    if (at < 0) continue;
    const extra = ((meanDraws[s] as number) - lift.common) * (counts[at] as number);
    for (let j = clauseOffsets[s] as number; j < (clauseOffsets[s + 1] as number); j++) {
      const id = clauseIds[j] as number;
      gain[id] = (gain[id] as number) + extra;
    }
  }
  let best: number | null = null;
  for (const id of named) {
    const size = Math.abs(gain[id] as number);
    if (size > 0 && (best === null || size > Math.abs(gain[best] as number))) best = id;
  }
  return best;
}

/** Where an ascending run holds a value, by halving; -1: nowhere. */
function entryOf(ids: Int32Array, start: number, stop: number, wanted: number): number {
  let low = start;
  let high = stop - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const id = ids[middle] as number;
    if (id === wanted) return middle;
    if (id < wanted) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
