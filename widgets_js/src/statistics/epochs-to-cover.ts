import { seenAfter } from "./coverage.ts";
import { inclusion } from "./once.ts";
import type { DrawPlan } from "./plan.ts";

const FAR = 2 ** 40; // epochs: beyond it the answer is "never" for every purpose

/** The standard normal distribution function, by erfc's continued fraction and series. */
export function normalCdf(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const tail = x < 2.5 ? 1 - erfSeries(x) : erfcFraction(x);
  return z > 0 ? 1 - tail / 2 : tail / 2;
}

function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let k = 1; Math.abs(term) > 1e-17 * Math.abs(sum); k++) {
    term *= (-x * x) / k;
    sum += term / (2 * k + 1);
    if (x === 0) break;
  }
  return (2 / Math.sqrt(Math.PI)) * (x === 0 ? 0 : sum);
}

function erfcFraction(x: number): number {
  let fraction = 0;
  for (let k = 60; k > 0; k--) fraction = k / 2 / (x + fraction);
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * (x + fraction));
}

/** Probability that every row has been seen: Poissonised over rows, whose draws are then independent. */
function allSeen(plan: DrawPlan, epochs: number): number {
  const { groups, total, draws } = plan;
  const once = plan.mode === "once" ? inclusion(groups.sizes, groups.weights, draws) : null;
  let log = 0;
  for (let g = 0; g < groups.sizes.length; g++) {
    const weight = groups.weights[g] as number;
    if (weight === 0) continue;
    const unseen = once === null ? Math.exp((-epochs * draws * weight) / total) : (1 - (once[g] as number)) ** epochs;
    log += (groups.sizes[g] as number) * Math.log1p(-unseen);
  }
  return Math.exp(log);
}

/** Probability that at least `rows` rows have been seen after `epochs` epochs. */
function reached(plan: DrawPlan, rows: number, epochs: number): number {
  const { mean, variance } = seenAfter(plan, epochs);
  if (plan.mode === "deck" || variance === 0) return mean >= rows - 1e-9 ? 1 : 0;
  if (rows >= plan.drawable) return allSeen(plan, epochs);
  return normalCdf((mean - rows + 0.5) / Math.sqrt(variance));
}

/**
 * The first epoch after which, with probability `quantile`, the share of `rows` has been seen; null: never.
 * The denominator is the pool: a share above what can be drawn is never reached.
 */
export function epochsToCover(plan: DrawPlan, share: number, quantile: number): number | null {
  const rows = Math.ceil(share * plan.statistics.header.num_rows - 1e-9);
  return epochsToSee(plan, rows, quantile);
}

export function epochsToSee(plan: DrawPlan, rows: number, quantile: number): number | null {
  if (!(plan.total > 0) || plan.draws === 0 || rows > plan.drawable) return null;
  let high = 1;
  while (reached(plan, rows, high) < quantile) {
    high *= 2;
    if (high > FAR) return null;
  }
  let low = Math.floor(high / 2);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (reached(plan, rows, middle) >= quantile) high = middle;
    else low = middle;
  }
  return high;
}

/** The epoch by which a deal has surely shown every row that can be drawn. */
export function certificate(plan: DrawPlan): number | null {
  return epochsToSee({ ...plan, mode: "deck" }, plan.drawable, 1);
}
