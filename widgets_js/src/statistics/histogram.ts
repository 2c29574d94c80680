import type { Unit } from "../session/protocol.ts";
import type { Statistics } from "../session/statistics-arrays.ts";
import { setBand } from "./bands.ts";
import { inclusion } from "./once.ts";
import { classValues, splitter } from "./parts.ts";
import { type DrawPlan, masses } from "./plan.ts";
import { quotas } from "./quotas.ts";
import { sumInterval } from "./sum-law.ts";

/** Per class: rows or instances of the pool, and what an epoch draws with its pointwise 95 % band. */
export interface Histogram {
  readonly raw: Float64Array;
  readonly expected: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/** Draws of a row of each stratum (mean) and the factor of its counts in the variance (spread). */
export interface Factors {
  readonly mean: Float64Array;
  readonly spread: Float64Array;
  readonly within: boolean; // each stratum's number of draws is fixed, not only their sum
}

export function drawFactors(plan: DrawPlan): Factors {
  const { sizes } = plan.statistics;
  if (plan.draws === 0)
    return { mean: new Float64Array(sizes.length), spread: new Float64Array(sizes.length), within: true };
  if (plan.mode === "deck") {
    const dealt = quotas(masses(plan), plan.draws);
    const spread = sizes.map((size, s) => {
      const rest = (dealt[s] as number) % size;
      return size > 1 ? (rest * (size - rest)) / (size * (size - 1)) : 0;
    });
    return { mean: dealt.map((quota, s) => quota / (sizes[s] as number)), spread, within: true };
  }
  if (plan.mode === "once") {
    const mean = inclusion(sizes, plan.weights, plan.draws);
    return { mean, spread: mean.map((p) => p * (1 - p)), within: false };
  }
  const mean = plan.weights.map((weight) => (plan.draws * weight) / plan.total);
  return { mean, spread: mean, within: false };
}

/** Sums over strata, per class: of counts, of factors times counts, of spreads times squares. */
interface Sums {
  readonly raw: Float64Array;
  readonly expected: Float64Array;
  readonly variance: Float64Array;
  readonly repeated: boolean; // some row has a class more than once
}

function sums({ statistics }: DrawPlan, { mean, spread, within }: Factors, unit: Unit): Sums {
  const { sizes, classOffsets, classIds, header } = statistics;
  const counts = unit === "samples" ? statistics.rowsWithClass : statistics.instances;
  const squares = unit === "samples" ? statistics.rowsWithClass : statistics.instancesSquared;
  const expected = new Float64Array(header.num_classes);
  const variance = new Float64Array(header.num_classes);
  const alike = mean === spread; // then what is drawn is also the center
  const center = alike ? expected : new Float64Array(header.num_classes);
  let spreadRows = 0;
  for (let s = 0; s < sizes.length; s++) {
    const f = mean[s] as number;
    const v = spread[s] as number;
    const own = within ? v / (sizes[s] as number) : 0;
    spreadRows += v * (sizes[s] as number);
    const stop = classOffsets[s + 1] as number;
    for (let j = classOffsets[s] as number; j < stop; j++) {
      const c = classIds[j] as number;
      const a = counts[j] as number;
      expected[c] = (expected[c] as number) + f * a;
      variance[c] = (variance[c] as number) + v * (squares[j] as number) - own * a * a;
      if (!alike) center[c] = (center[c] as number) + v * a;
    }
  }
  if (!within && spreadRows > 0) {
    for (let c = 0; c < variance.length; c++)
      variance[c] = (variance[c] as number) - (center[c] as number) ** 2 / spreadRows;
  }
  return { ...countsOf(statistics, unit), expected, variance };
}

interface Counts {
  readonly raw: Float64Array;
  readonly repeated: boolean;
}

const known = new WeakMap<Statistics, Partial<Record<Unit, Counts>>>();

/** What the pool has of each class: the same whatever the weights are. */
function countsOf(statistics: Statistics, unit: Unit): Counts {
  const found = known.get(statistics) ?? {};
  known.set(statistics, found);
  const made = found[unit] ?? counted(statistics, unit);
  found[unit] = made;
  return made;
}

function counted({ classIds, header, ...statistics }: Statistics, unit: Unit): Counts {
  const counts = unit === "samples" ? statistics.rowsWithClass : statistics.instances;
  const squares = unit === "samples" ? statistics.rowsWithClass : statistics.instancesSquared;
  const raw = new Float64Array(header.num_classes);
  for (let j = 0; j < classIds.length; j++) {
    const c = classIds[j] as number;
    raw[c] = (raw[c] as number) + (counts[j] as number);
  }
  return { raw, repeated: counts.some((count, j) => count !== squares[j]) };
}

/**
 * Counts of each class among the draws of the first epoch. With `exact` the bands of few rows with several instances
 * each are those of the law of their sum, else, at a thousandth of the time, of its mean and variance.
 */
export function histogram(
  plan: DrawPlan,
  unit: Unit,
  factors: Factors = drawFactors(plan),
  exact: boolean = true,
): Histogram {
  const { raw, expected, variance, repeated } = sums(plan, factors, unit);
  const low = new Float64Array(raw.length);
  const high = new Float64Array(raw.length);
  const upper = repeated ? Number.POSITIVE_INFINITY : plan.draws;
  for (let c = 0; c < raw.length; c++) {
    setBand(low, high, c, { mean: expected[c] as number, variance: Math.max(0, variance[c] as number), upper });
  }
  if (exact && unit === "instances" && repeated && plan.draws > 0) setSums(low, high, plan, { expected, variance });
  return { raw, expected, low, high };
}

/** Of few rows with several instances each the band is that of the law of their sum. */
function setSums(
  low: Float64Array,
  high: Float64Array,
  plan: DrawPlan,
  { expected, variance }: { expected: Float64Array; variance: Float64Array },
): void {
  const split = splitter(plan);
  for (const [c, values] of classValues(plan.statistics)) {
    const moments = { mean: expected[c] as number, variance: variance[c] as number };
    const ends = [low[c] as number, high[c] as number] as const;
    if (moments.variance > 0) [low[c], high[c]] = sumInterval(split(values), moments, ends);
  }
}
