import { setBand } from "./bands.ts";
import { type Law, lawOf } from "./laws.ts";
import type { DrawPlan } from "./plan.ts";

const FAR = 2 ** 40; // epochs: beyond it the answer is "never" for every purpose

/** Rows of the pool seen at least once after epochs 1, 2, ... with the pointwise 95 % band. */
export interface Coverage {
  readonly unique: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
}

export function coverage(plan: DrawPlan, numEpochs: number, law: Law | null = lawIfDrawn(plan)): Coverage {
  return coverageAfter(
    plan,
    Array.from({ length: numEpochs }, (_, at) => at + 1),
    law,
  );
}

/** The same after the epochs given, which ascend. */
export function coverageAfter(plan: DrawPlan, epochs: readonly number[], law: Law | null): Coverage {
  const unique = new Float64Array(epochs.length);
  const low = new Float64Array(epochs.length);
  const high = new Float64Array(epochs.length);
  if (law === null) return { unique, low, high };
  const { drawable } = plan;
  for (const [at, epoch] of epochs.entries()) {
    const { mean, variance } = law.unseen(epoch);
    setBand(low, high, at, { mean, variance, upper: drawable });
    unique[at] = drawable - mean;
    const fewest = low[at] as number;
    low[at] = drawable - (high[at] as number);
    high[at] = drawable - fewest;
    if (mean === 0) {
      unique.fill(drawable, at);
      low.fill(drawable, at);
      high.fill(drawable, at);
      break;
    }
  }
  return { unique, low, high };
}

export function lawIfDrawn(plan: DrawPlan): Law | null {
  return plan.draws > 0 ? lawOf(plan) : null;
}

/** The first epoch after which `rows` rows have been seen with probability `quantile`; null: never. */
export function epochsToSee(plan: DrawPlan, rows: number, quantile: number, law = lawIfDrawn(plan)): number | null {
  const allowed = plan.drawable - rows;
  if (law === null || allowed < 0) return null;
  let high = 1;
  while (law.atMost(high, allowed) < quantile) {
    high *= 2;
    if (high > FAR) return null;
  }
  let low = Math.floor(high / 2);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (law.atMost(middle, allowed) < quantile) low = middle;
    else high = middle;
  }
  return high;
}

/** Rows that make up a share of others, whole. */
export function rowsOfShare(share: number, of: number): number {
  return Math.ceil(share * of - 1e-9);
}

/** The epoch by which a deal has surely shown every row that can be drawn; null where there is none. */
export function certificate(plan: DrawPlan): number | null {
  return epochsToSee(plan.mode === "deck" ? plan : { ...plan, mode: "deck" }, plan.drawable, 1);
}
