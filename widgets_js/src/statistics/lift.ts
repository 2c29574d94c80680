import type { Unit } from "../shared/protocol.ts";
import type { Histogram } from "./histogram.ts";
import type { DrawPlan } from "./plan.ts";

const NOTABLE = 1.1;
const MUTED = 0.9;

/** A class nobody named that moved with one that was named. */
export interface CarriedClass {
  readonly classIndex: number;
  readonly ratio: number; // its lift over the dilution common to all
  readonly by: number | null; // clause that moved it most
}

export interface Lift {
  readonly dilution: number; // draws of a row that no clause lifts, relative to equal weights
  readonly carried: readonly CarriedClass[]; // largest change first
}

/** Weight that a row has when no clause names it: that of the clause matching every row, else 0 (1 in a product). */
function commonWeight(plan: DrawPlan, named: ReadonlySet<number>): number {
  const { sizes, clauseOffsets, clauseIds } = plan.statistics;
  let weight = Number.NaN;
  let rows = -1;
  for (let s = 0; s < sizes.length; s++) {
    const ids = clauseIds.subarray(clauseOffsets[s], clauseOffsets[s + 1]);
    if (ids.some((id) => named.has(id))) continue;
    if ((sizes[s] as number) > rows) {
      rows = sizes[s] as number;
      weight = plan.weights[s] as number;
    }
  }
  return weight;
}

/**
 * Which classes moved without being asked.
 *
 * `clauseClass` gives the class each clause names, null for a clause that names none; the clauses of a class, or of
 * anything but every row, count as named.
 */
export function implicitLift(
  plan: DrawPlan,
  { raw, expected, low, high }: Histogram,
  clauseClass: readonly (number | null)[],
  fallback: ReadonlySet<number>,
  unit: Unit,
): Lift {
  const named = new Set(clauseClass.map((_, clause) => clause).filter((clause) => !fallback.has(clause)));
  const common = commonWeight(plan, named);
  const rows = plan.statistics.header.num_rows;
  const dilution = (common * rows) / plan.total;
  if (!(dilution > 0) || named.size === 0) return { dilution, carried: [] };
  const namedClasses = new Set(clauseClass);
  const scale = (plan.draws / rows) * dilution;
  const carried: CarriedClass[] = [];
  for (let c = 0; c < raw.length; c++) {
    const unlifted = (raw[c] as number) * scale;
    if (!(unlifted > 0) || namedClasses.has(c)) continue;
    const ratio = (expected[c] as number) / unlifted;
    const outside = unlifted < (low[c] as number) || unlifted > (high[c] as number);
    if (outside && (ratio >= NOTABLE || ratio <= MUTED)) {
      carried.push({ classIndex: c, ratio, by: carrier(plan, c, named, common, unit) });
    }
  }
  carried.sort((a, b) => Math.abs(Math.log(b.ratio)) - Math.abs(Math.log(a.ratio)));
  return { dilution, carried };
}

/** The clause on whose rows the class gains (or loses) most. */
function carrier(
  plan: DrawPlan,
  classIndex: number,
  named: ReadonlySet<number>,
  common: number,
  unit: Unit,
): number | null {
  const { classOffsets, classIds, clauseOffsets, clauseIds, rowsWithClass, instances } = plan.statistics;
  const counts = unit === "samples" ? rowsWithClass : instances;
  const gain = new Float64Array(plan.statistics.header.num_clauses);
  for (let s = 0; s < plan.weights.length; s++) {
    const at = classIds.subarray(classOffsets[s], classOffsets[s + 1]).indexOf(classIndex);
    if (at < 0) continue;
    const extra = ((plan.weights[s] as number) - common) * (counts[(classOffsets[s] as number) + at] as number);
    for (const id of clauseIds.subarray(clauseOffsets[s], clauseOffsets[s + 1]))
      gain[id] = (gain[id] as number) + extra;
  }
  let best: number | null = null;
  for (const id of named) {
    const size = Math.abs(gain[id] as number);
    if (size > 0 && (best === null || size > Math.abs(gain[best] as number))) best = id;
  }
  return best;
}
