import { binomialLaw, type CountLaw, cdfAt } from "./binomial.ts";
import { inclusion } from "./once.ts";
import { type DrawPlan, votes } from "./plan.ts";
import { websterQuotas } from "./quotas.ts";

/** How often a row of each stratum has been drawn: laws, shared by strata of equal weight. */
export interface SeenLaws {
  readonly laws: readonly CountLaw[];
  readonly lawOf: ArrayLike<number>; // of each stratum
}

export function seenLaws(plan: DrawPlan, epochs: number): SeenLaws {
  const { groups, total, draws } = plan;
  if (plan.mode === "deck") return dealtLaws(plan, epochs);
  if (plan.mode === "once") {
    const pi = inclusion(groups.sizes, groups.weights, draws);
    return { laws: Array.from(pi, (one) => binomialLaw(epochs, one)), lawOf: groups.groupOf };
  }
  const chance = (weight: number) => (total > 0 ? weight / total : 0);
  return { laws: Array.from(groups.weights, (w) => binomialLaw(draws * epochs, chance(w))), lawOf: groups.groupOf };
}

/** Every row of a stratum is dealt floor or ceil of the same number of times. */
function dealtLaws(plan: DrawPlan, epochs: number): SeenLaws {
  const quotas = websterQuotas(votes(plan), plan.draws * epochs);
  const laws = Array.from(quotas, (quota, s): CountLaw => {
    const size = plan.statistics.sizes[s] as number;
    const rest = quota % size;
    const first = Math.floor(quota / size);
    return { first, cdf: rest === 0 ? Float64Array.of(1) : Float64Array.of(1 - rest / size, 1) };
  });
  return { laws, lawOf: laws.map((_, s) => s) };
}

/** Rows behind an ECDF, by law: all of the pool, or those with a class. */
function rowsByLaw(plan: DrawPlan, { laws, lawOf }: SeenLaws, classIndex: number | null): Float64Array {
  const { sizes, classOffsets, classIds, rowsWithClass } = plan.statistics;
  const rows = new Float64Array(laws.length);
  for (let s = 0; s < sizes.length; s++) {
    const law = lawOf[s] as number;
    if (classIndex === null) {
      rows[law] = (rows[law] as number) + (sizes[s] as number);
      continue;
    }
    for (let j = classOffsets[s] as number; j < (classOffsets[s + 1] as number); j++) {
      if (classIds[j] === classIndex) rows[law] = (rows[law] as number) + (rowsWithClass[j] as number);
    }
  }
  return rows;
}

/** Share of rows (of one class, or of the pool) drawn at most `times[i]` times; NaN where there is no such row. */
export function timesSeen(
  plan: DrawPlan,
  seen: SeenLaws,
  classIndex: number | null,
  times: ArrayLike<number>,
): Float64Array {
  const rows = rowsByLaw(plan, seen, classIndex);
  const total = rows.reduce((sum, n) => sum + n, 0);
  return Float64Array.from(times, (k) => {
    let below = 0;
    for (let g = 0; g < rows.length; g++) {
      if ((rows[g] as number) > 0) below += (rows[g] as number) * cdfAt(seen.laws[g] as CountLaw, k);
    }
    return below / total;
  });
}
