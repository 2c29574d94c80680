// How many drawable rows are still unseen after some epochs: one law for each mode, as penstock.sampling.laws._unseen.
import type { Mode } from "../session/protocol.ts";
import { atMostUnseen, MOST_DRAWS, SMALL_POOL } from "./occupancy.ts";
import { inclusion } from "./once.ts";
import { type DrawPlan, masses } from "./plan.ts";
import { quotas } from "./quotas.ts";

export interface Unseen {
  readonly mean: number;
  readonly variance: number;
}

export interface Law {
  readonly certain: boolean; // nothing is left to chance
  unseen(epochs: number): Unseen;
  /** Probability that at most `allowed` drawable rows are unseen. */
  atMost(epochs: number, allowed: number): number;
}

const LAWS: Readonly<Record<Mode, (plan: DrawPlan) => Law>> = { iid: iidLaw, deck: deckLaw, once: onceLaw };

/** The law of a plan that draws something. */
export function lawOf(plan: DrawPlan): Law {
  return LAWS[plan.mode](plan);
}

const EXACT_UP_TO_GROUPS = 32;
const FEW_LEFT = 10;
const ROUNDING = 1e-12;

interface Groups {
  readonly sizes: Float64Array;
  readonly chances: Float64Array;
}

/** Independent draws: with n so far, q = (1 - p)^n. */
function iidLaw({ groups, total, draws }: DrawPlan): Law {
  const rows: Groups = { sizes: groups.sizes, chances: groups.weights.map((weight) => Math.min(1, weight / total)) };
  const excess = pairExcess(rows);
  const unseen = (epochs: number): Unseen => {
    const n = epochs * draws;
    const missed = rows.chances.map((p) => Math.exp(n * Math.log1p(-p)));
    let mean = 0;
    let alone = 0;
    let pooled = 0;
    missed.forEach((q, g) => {
      const size = rows.sizes[g] as number;
      mean += size * q;
      alone += size * q * (1 - q);
      pooled += size * (rows.chances[g] as number) * q;
    });
    const together = excess === null ? -n * pooled * pooled : pairCovariance(excess, rows.sizes, missed, n);
    return { mean, variance: Math.max(0, alone + together) };
  };
  const logMissed = (epochs: number) => rows.chances.map((p) => -epochs * draws * p);
  const approximate = atMostOf(rows.sizes, logMissed, unseen);
  const atMost = (epochs: number, allowed: number): number => {
    const n = epochs * draws;
    if (!isSmall(rows.sizes) || n > MOST_DRAWS) return approximate(epochs, allowed);
    return atMostUnseen(rows.sizes, rows.chances, n, Math.min(allowed, rowsOf(rows.sizes)));
  };
  return { certain: false, unseen, atMost };
}

function rowsOf(sizes: Float64Array): number {
  return sizes.reduce((sum, size) => sum + size, 0);
}

function isSmall(sizes: Float64Array): boolean {
  return rowsOf(sizes) < SMALL_POOL;
}

/** log((1 - p - p') / ((1 - p)(1 - p'))) of each pair of groups, first index the larger; null where they are too many. */
function pairExcess({ sizes, chances }: Groups): Float64Array | null {
  const count = chances.length;
  if (count > EXACT_UP_TO_GROUPS && !isSmall(sizes)) return null;
  const excess = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) {
      const a = chances[i] as number;
      const b = chances[j] as number;
      excess[i * count + j] = Math.log1p(-Math.min(1, (a * b) / ((1 - a) * (1 - b))));
    }
  }
  return excess;
}

/** Sum over ordered pairs of different rows of (1 - p - p')^n - q q', without its cancellation. */
function pairCovariance(excess: Float64Array, sizes: Float64Array, missed: Float64Array, n: number): number {
  const count = sizes.length;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) {
      const pairs = (i === j ? 1 : 2) * (sizes[i] as number) * ((sizes[j] as number) - Number(i === j));
      const both = (missed[i] as number) * (missed[j] as number);
      if (pairs > 0 && both > 0) sum += pairs * both * Math.expm1(n * (excess[i * count + j] as number));
    }
  }
  return sum;
}

/** Without replacement within an epoch: approximate, as the inclusion probabilities are. Rows that repeat all come. */
function onceLaw({ groups, draws, times }: DrawPlan): Law {
  if (times !== null) return { certain: true, unseen: () => ({ mean: 0, variance: 0 }), atMost: () => 1 };
  const chances = inclusion(groups.sizes, groups.weights, draws).map((pi) => Math.min(1, pi));
  const { sizes } = groups;
  const spread = chances.map((pi, g) => (sizes[g] as number) * pi * (1 - pi));
  const allSpread = spread.reduce((sum, v) => sum + v, 0);
  const unseen = (epochs: number): Unseen => {
    let mean = 0;
    let alone = 0;
    let linear = 0;
    chances.forEach((pi, g) => {
      const before = (1 - pi) ** (epochs - 1);
      const q = (1 - pi) ** epochs;
      mean += (sizes[g] as number) * q;
      alone += (sizes[g] as number) * q * (1 - q);
      linear += (spread[g] as number) * before;
    });
    const variance = alone - (allSpread > 0 ? (epochs * linear * linear) / allSpread : 0);
    return { mean, variance: variance > ROUNDING * alone ? variance : 0 };
  };
  const logMissed = (epochs: number) => chances.map((pi) => epochs * Math.log1p(-pi));
  return { certain: allSpread === 0, unseen, atMost: atMostOf(sizes, logMissed, unseen) };
}

/** Dealt: a stratum with quota Q so far has had min(n, Q) of its n rows seen. */
function deckLaw(plan: DrawPlan): Law {
  const { sizes } = plan.statistics;
  const parts = masses(plan);
  const left = (epochs: number): number => {
    const dealt = quotas(parts, plan.draws * epochs);
    let rows = 0;
    for (let s = 0; s < sizes.length; s++) {
      if ((parts[s] as number) > 0) rows += Math.max(0, (sizes[s] as number) - (dealt[s] as number));
    }
    return rows;
  };
  return {
    certain: true,
    unseen: (epochs) => ({ mean: left(epochs), variance: 0 }),
    atMost: (epochs, allowed) => Number(left(epochs) <= allowed),
  };
}

/** Rows taken as independent: exact sums where fewer than ten may be left, else the normal law. */
function atMostOf(
  sizes: Float64Array,
  logMissed: (epochs: number) => Float64Array,
  unseen: (epochs: number) => Unseen,
): Law["atMost"] {
  return (epochs, allowed) => {
    if (allowed < FEW_LEFT) return fewUnseen(sizes, logMissed(epochs), allowed);
    const { mean, variance } = unseen(epochs);
    if (variance <= 0) return Number(mean <= allowed);
    return normalCdf((allowed + 0.5 - mean) / Math.sqrt(variance));
  };
}

/** P(at most `allowed` rows unseen): each group is binomial, their masses convolved and cut. */
function fewUnseen(sizes: Float64Array, logMissed: Float64Array, allowed: number): number {
  let total = new Float64Array(allowed + 1);
  total[0] = 1;
  for (let g = 0; g < sizes.length; g++) {
    const size = sizes[g] as number;
    const logSeen = Math.log(-Math.expm1(logMissed[g] as number));
    const odds = logSeen === Number.NEGATIVE_INFINITY ? 0 : Math.exp((logMissed[g] as number) - logSeen);
    const masses = new Float64Array(allowed + 1);
    masses[0] = Math.exp(size * logSeen);
    for (let k = 0; k < allowed; k++) masses[k + 1] = ((masses[k] as number) * Math.max(0, size - k) * odds) / (k + 1);
    total = convolved(total, masses);
  }
  return total.reduce((sum, mass) => sum + mass, 0);
}

function convolved(a: Float64Array, b: Float64Array): Float64Array<ArrayBuffer> {
  const out = new Float64Array(a.length);
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; i + j < a.length; j++) out[i + j] = (out[i + j] as number) + (a[i] as number) * (b[j] as number);
  }
  return out;
}

/** The standard normal distribution function, by the series of erf near 0 and the continued fraction of erfc beyond. */
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
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

function erfcFraction(x: number): number {
  let fraction = 0;
  for (let k = 60; k > 0; k--) fraction = k / 2 / (x + fraction);
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * (x + fraction));
}
