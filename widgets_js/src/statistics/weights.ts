import type { Statistics } from "../session/statistics-arrays.ts";

export type Combine = "max" | "sum" | "product";

/** Weight of one row of each stratum; 1 everywhere where the query has no SAMPLE BY. */
export function stratumWeights(
  statistics: Statistics,
  clauseWeights: ArrayLike<number>,
  combine: Combine,
  cap: number | null = null,
): Float64Array {
  if (statistics.weights !== null) return statistics.weights.slice();
  const out = new Float64Array(statistics.sizes.length);
  if (statistics.header.num_clauses === 0) out.fill(1);
  else combineClauses(statistics, clauseWeights, combine, out);
  if (cap !== null) for (let s = 0; s < out.length; s++) out[s] = Math.min(out[s] as number, cap);
  return out;
}

function combineClauses(
  { clauseOffsets, clauseIds }: Statistics,
  clauseWeights: ArrayLike<number>,
  combine: Combine,
  out: Float64Array,
): void {
  for (let s = 0; s < out.length; s++) {
    const stop = clauseOffsets[s + 1] as number;
    let weight = combine === "product" ? 1 : 0;
    for (let j = clauseOffsets[s] as number; j < stop; j++) {
      const clause = clauseWeights[clauseIds[j] as number] as number;
      if (combine === "max") weight = Math.max(weight, clause);
      else if (combine === "sum") weight += clause;
      else weight *= clause;
    }
    out[s] = weight;
  }
}

/** Sum of the weights of all rows; 0 means that nothing can be drawn. */
export function totalWeight(sizes: Float64Array, weights: Float64Array): number {
  let total = 0;
  for (let s = 0; s < sizes.length; s++) total += (sizes[s] as number) * (weights[s] as number);
  return total;
}

/** Rows whose weight is above 0: what coverage can reach. */
export function drawableRows(sizes: Float64Array, weights: Float64Array): number {
  let rows = 0;
  for (let s = 0; s < sizes.length; s++) if ((weights[s] as number) > 0) rows += sizes[s] as number;
  return rows;
}

/** Rows that can be drawn, merged by equal weight: all that coverage needs. */
export interface WeightGroups {
  readonly weights: Float64Array;
  readonly sizes: Float64Array;
  readonly groupOf: Int32Array; // of each stratum; -1: weight 0
}

export function groupByWeight(sizes: Float64Array, weights: Float64Array): WeightGroups {
  const index = new Map<number, number>();
  const groupOf = new Int32Array(weights.length).fill(-1);
  for (let s = 0; s < weights.length; s++) {
    const weight = weights[s] as number;
    if (!(weight > 0)) continue;
    const group = index.get(weight) ?? index.size;
    index.set(weight, group);
    groupOf[s] = group;
  }
  const grouped = new Float64Array(index.size);
  for (let s = 0; s < weights.length; s++) {
    const group = groupOf[s] as number;
    if (group >= 0) grouped[group] = (grouped[group] as number) + (sizes[s] as number);
  }
  return { weights: Float64Array.from(index.keys()), sizes: grouped, groupOf };
}
