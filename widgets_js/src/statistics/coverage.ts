import { Z95 } from "./bands.ts";
import { inclusion } from "./once.ts";
import { type DrawPlan, votes } from "./plan.ts";
import { websterQuotas } from "./quotas.ts";

const EXACT_UP_TO_GROUPS = 32;

/** Rows of the pool seen at least once after each epoch, from epoch 1. */
export interface Coverage {
  readonly unique: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/** Mean and variance of the number of rows seen. */
export interface Seen {
  readonly mean: number;
  readonly variance: number;
}

/** After `epochs` epochs of plan.draws draws with replacement. */
export function seenIndependent({ groups, total, draws }: DrawPlan, epochs: number): Seen {
  const n = draws * epochs;
  const size = groups.sizes;
  const p = groups.weights.map((weight) => (total > 0 ? weight / total : 0));
  const unseen = p.map((one) => Math.exp(n * Math.log1p(-one)));
  let mean = 0;
  let variance = 0;
  let pooled = 0;
  for (let i = 0; i < p.length; i++) {
    const rows = size[i] as number;
    const q = unseen[i] as number;
    mean -= rows * Math.expm1(n * Math.log1p(-(p[i] as number)));
    variance += rows * q * (1 - q);
    pooled += rows * (p[i] as number) * q;
  }
  const exact = p.length <= EXACT_UP_TO_GROUPS;
  return { mean, variance: Math.max(0, variance + (exact ? covariance(size, p, unseen, n) : -n * pooled * pooled)) };
}

/** Sum over ordered pairs of rows of (1 - p_i - p_j)^n - q_i q_j, without its cancellation. */
function covariance(size: Float64Array, p: Float64Array, unseen: Float64Array, n: number): number {
  let sum = 0;
  for (let i = 0; i < p.length; i++) {
    const a = p[i] as number;
    const qa = unseen[i] as number;
    if (qa === 0) continue;
    for (let j = 0; j <= i; j++) {
      const b = p[j] as number;
      const qb = unseen[j] as number;
      const pairs =
        i === j ? (size[i] as number) * ((size[i] as number) - 1) : 2 * (size[i] as number) * (size[j] as number);
      if (pairs === 0 || qb === 0) continue;
      sum += pairs * qa * qb * Math.expm1(n * Math.log1p((-a * b) / ((1 - a) * (1 - b))));
    }
  }
  return sum;
}

/** After `epochs` epochs dealt from decks: certain. */
export function seenDealt(plan: DrawPlan, epochs: number): Seen {
  const { sizes } = plan.statistics;
  const quotas = websterQuotas(votes(plan), plan.draws * epochs);
  return { mean: sizes.reduce((sum, size, s) => sum + Math.min(size, quotas[s] as number), 0), variance: 0 };
}

/** After `epochs` epochs, each without replacement within itself. */
export function seenOnce({ groups, draws }: DrawPlan, epochs: number): Seen {
  const pi = inclusion(groups.sizes, groups.weights, draws);
  let mean = 0;
  let variance = 0;
  for (let g = 0; g < pi.length; g++) {
    const unseen = (1 - (pi[g] as number)) ** epochs;
    mean += (groups.sizes[g] as number) * (1 - unseen);
    variance += (groups.sizes[g] as number) * unseen * (1 - unseen);
  }
  return { mean, variance: epochs === 1 ? 0 : variance };
}

const SEEN = { iid: seenIndependent, deck: seenDealt, once: seenOnce } as const;

export function seenAfter(plan: DrawPlan, epochs: number): Seen {
  if (!(plan.total > 0) || epochs === 0 || plan.draws === 0) return { mean: 0, variance: 0 };
  return SEEN[plan.mode](plan, epochs);
}

export function coverage(plan: DrawPlan, numEpochs: number): Coverage {
  const unique = new Float64Array(numEpochs);
  const low = new Float64Array(numEpochs);
  const high = new Float64Array(numEpochs);
  for (let e = 1; e <= numEpochs; e++) {
    const { mean, variance } = seenAfter(plan, e);
    const half = Z95 * Math.sqrt(variance);
    unique[e - 1] = mean;
    low[e - 1] = Math.max(0, mean - half);
    high[e - 1] = Math.min(plan.statistics.header.num_rows, mean + half);
  }
  return { unique, low, high };
}
