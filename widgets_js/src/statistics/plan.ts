import type { Mode } from "../session/protocol.ts";
import type { Statistics } from "../session/statistics-arrays.ts";
import { integerMasses } from "./quotas.ts";
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
  readonly groups: WeightGroups; // of the rows that can be drawn
  readonly total: number; // sum of the weights of all rows; 0: nothing can be drawn
  readonly draws: number; // an epoch, in this mode
  readonly drawable: number; // rows of weight above 0
  readonly mode: Mode;
  readonly times: Float64Array | null; // of distinct rows: positions of a row of each stratum; null: a row is a position
}

export interface PlanRequest {
  readonly statistics: Statistics;
  readonly clauseWeights: ArrayLike<number>;
  readonly combine: Combine;
  readonly cap?: number | null;
  readonly draws: number; // asked
  readonly mode: Mode;
}

export function drawPlan({ statistics, clauseWeights, combine, cap, draws, mode }: PlanRequest): DrawPlan {
  const weights = stratumWeights(statistics, clauseWeights, combine, cap ?? null);
  const plan = {
    statistics,
    weights,
    groups: groupByWeight(statistics.sizes, weights),
    total: totalWeight(statistics.sizes, weights),
    draws: 0,
    drawable: drawableRows(statistics.sizes, weights),
    mode,
    times: null,
  };
  return inMode(plan, mode, draws);
}

/** The same weights drawn in another mode. Without replacement there are at most as many draws as drawable rows. */
export function inMode(plan: DrawPlan, mode: Mode, draws: number): DrawPlan {
  const positions = plan.times === null ? plan.drawable : Number.POSITIVE_INFINITY; // a pass brings all positions
  const possible = mode === "once" ? Math.min(draws, positions) : draws;
  return { ...plan, mode, draws: plan.total > 0 ? possible : 0 };
}

export function masses({ statistics, weights }: DrawPlan): Float64Array {
  return integerMasses(statistics.sizes, weights);
}
