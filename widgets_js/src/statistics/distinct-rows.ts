import type { FoldedRows, Statistics } from "../session/statistics-arrays.ts";
import type { DrawPlan } from "./plan.ts";
import { drawableRows, groupByWeight } from "./weights.ts";

/** The plan of distinct samples, each with the weights of all its positions; the plan itself where none repeats. */
export function ofDistinctRows(plan: DrawPlan): DrawPlan {
  const { folded } = plan.statistics;
  if (folded === null) return plan;
  const weights = summed(folded, plan.weights);
  return {
    ...plan,
    statistics: foldedStatistics(plan.statistics, folded, weights),
    weights,
    groups: groupByWeight(folded.sizes, weights),
    drawable: drawableRows(folded.sizes, weights),
    times: summed(folded, new Float64Array(plan.weights.length).fill(1)),
  };
}

function summed({ sizes, offsets, strata, times }: FoldedRows, each: Float64Array): Float64Array {
  const out = new Float64Array(sizes.length);
  for (let f = 0; f < out.length; f++) {
    const stop = offsets[f + 1] as number;
    for (let j = offsets[f] as number; j < stop; j++) {
      out[f] = (out[f] as number) + (times[j] as number) * (each[strata[j] as number] as number);
    }
  }
  return out;
}

function foldedStatistics(statistics: Statistics, folded: FoldedRows, weights: Float64Array): Statistics {
  const { sizes, classOffsets, classIds, rowsWithClass } = folded;
  return {
    header: { ...statistics.header, num_rows: sizes.reduce((sum, n) => sum + n, 0), num_strata: sizes.length },
    sizes,
    clauseOffsets: new Int32Array(sizes.length + 1),
    clauseIds: new Int32Array(0),
    classOffsets,
    classIds,
    rowsWithClass,
    instances: rowsWithClass,
    instancesSquared: rowsWithClass,
    values: null,
    weights,
    unlabeled: null,
    folded: null,
  };
}
