import { binomialLaw, type CountLaw, cdfAt } from "./binomial.ts";
import { inclusion } from "./once.ts";
import { type DrawPlan, masses } from "./plan.ts";
import { quotas } from "./quotas.ts";

/** How often a row of each stratum has been drawn: laws, shared by strata of equal weight. */
export interface SeenLaws {
  readonly laws: readonly CountLaw[];
  readonly lawOf: ArrayLike<number>; // of each stratum; -1: it is never drawn
}

export function seenLaws(plan: DrawPlan, epochs: number): SeenLaws {
  const { groups, total, draws } = plan;
  if (plan.mode === "deck") return deckLaws(plan, epochs);
  if (plan.mode === "once" && plan.times !== null) return passedLaws(plan.times, epochs);
  if (plan.mode === "once") {
    const pi = inclusion(groups.sizes, groups.weights, draws);
    return { laws: Array.from(pi, (one) => binomialLaw(epochs, one)), lawOf: groups.groupOf };
  }
  return { laws: Array.from(groups.weights, (w) => binomialLaw(draws * epochs, w / total)), lawOf: groups.groupOf };
}

/** Every row of a stratum is dealt floor or ceil of the same number of times. */
function deckLaws(plan: DrawPlan, epochs: number): SeenLaws {
  const dealt = quotas(masses(plan), plan.draws * epochs);
  const laws = Array.from(dealt, (quota, s): CountLaw => {
    const size = plan.statistics.sizes[s] as number;
    const rest = quota % size;
    const first = Math.floor(quota / size);
    return { first, cdf: rest === 0 ? Float64Array.of(1) : Float64Array.of(1 - rest / size, 1) };
  });
  return { laws, lawOf: laws.map((_, s) => s) };
}

/** Every row comes as often an epoch as the pool holds it. */
function passedLaws(times: Float64Array, epochs: number): SeenLaws {
  const laws = Array.from(times, (each): CountLaw => ({ first: each * epochs, cdf: Float64Array.of(1) }));
  return { laws, lawOf: laws.map((_, s) => s) };
}

/** Rows behind an ECDF, all of the pool or those with a class: by law, and how many are never drawn. */
function rowsByLaw(
  plan: DrawPlan,
  { laws, lawOf }: SeenLaws,
  classIndex: number | null,
): { rows: Float64Array; never: number } {
  const { sizes, classOffsets, classIds, rowsWithClass } = plan.statistics;
  const rows = new Float64Array(laws.length);
  let never = 0;
  for (let s = 0; s < sizes.length; s++) {
    let count = sizes[s] as number;
    if (classIndex !== null) {
      const at = classIds.subarray(classOffsets[s], classOffsets[s + 1]).indexOf(classIndex);
      count = at < 0 ? 0 : (rowsWithClass[(classOffsets[s] as number) + at] as number);
    }
    const law = lawOf[s] as number;
    if (law < 0) never += count;
    else rows[law] = (rows[law] as number) + count;
  }
  return { rows, never };
}

/** Share of rows (of one class, or of the pool) drawn at most `times[i]` times; NaN where there is no such row. */
export function timesSeen(
  plan: DrawPlan,
  seen: SeenLaws,
  classIndex: number | null,
  times: ArrayLike<number>,
): Float64Array {
  const { rows, never } = rowsByLaw(plan, seen, classIndex);
  const total = rows.reduce((sum, n) => sum + n, never);
  return Float64Array.from(times, (k) => {
    let below = never;
    for (let g = 0; g < rows.length; g++) {
      if ((rows[g] as number) > 0) below += (rows[g] as number) * cdfAt(seen.laws[g] as CountLaw, k);
    }
    return below / total;
  });
}
