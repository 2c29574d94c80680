import type { Mode } from "../shared/protocol.ts";
import type { Statistics } from "../shared/statistics-arrays.ts";
import {
  type Combine,
  drawableRows,
  groupByWeight,
  stratumWeights,
  totalWeight,
  type WeightGroups,
} from "./weights.ts";

/** What is drawn: everything the charts show follows from it. */
export interface DrawPlan {
  readonly statistics: Statistics;
  readonly weights: Float64Array; // of one row of each stratum
  readonly groups: WeightGroups;
  readonly total: number; // sum of the weights of all rows; 0: nothing can be drawn
  readonly draws: number; // an epoch, in this mode
  readonly drawable: number; // rows of weight above 0
  readonly mode: Mode;
}

export interface PlanRequest {
  readonly statistics: Statistics;
  readonly clauseWeights: ArrayLike<number>;
  readonly combine: Combine;
  readonly draws: number; // asked
  readonly mode: Mode;
}

export function drawPlan({ statistics, clauseWeights, combine, draws, mode }: PlanRequest): DrawPlan {
  const weights = stratumWeights(statistics, clauseWeights, combine);
  const drawable = drawableRows(statistics.sizes, weights);
  const total = totalWeight(statistics.sizes, weights);
  return {
    statistics,
    weights,
    groups: groupByWeight(statistics.sizes, weights),
    total,
    draws: total > 0 ? (mode === "once" ? Math.min(draws, drawable) : draws) : 0,
    drawable,
    mode,
  };
}

/** The same plan drawn in another mode: the curves of the modes not chosen. */
export function inMode(plan: DrawPlan, mode: Mode, draws: number): DrawPlan {
  return { ...plan, mode, draws: plan.total > 0 ? (mode === "once" ? Math.min(draws, plan.drawable) : draws) : 0 };
}

/** Rows times weight of each stratum: its votes in the deal. */
export function votes({ statistics, weights }: DrawPlan): Float64Array {
  return statistics.sizes.map((size, s) => size * (weights[s] as number));
}
