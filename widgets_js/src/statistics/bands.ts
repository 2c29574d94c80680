// The pointwise 95 % band of a count with known moments; penstock.sampling.laws._bands is the same rule in Python.

export const Z95 = 1.959963984540054;
const TAIL = 0.025;
const SMALL = 25;
const ROUNDING = 1e-9;

/** low and high for one count, into `low[at]` and `high[at]`. */
export function setBand(
  low: Float64Array,
  high: Float64Array,
  at: number,
  moments: { mean: number; variance: number; upper: number },
): void {
  const { mean, variance, upper } = moments;
  const scale = mean > 0 ? Math.max(1, variance / mean) : 1;
  let lower = mean - Z95 * Math.sqrt(Math.max(0, variance));
  let higher = mean + Z95 * Math.sqrt(Math.max(0, variance));
  const few = mean < SMALL * scale;
  if (variance > 0 && (few || variance < SMALL * scale ** 2)) {
    if (few && 2 * variance >= mean) {
      const [a, b] = smallCount(mean / scale, variance / scale ** 2);
      lower = a * scale;
      higher = b * scale;
    }
    lower = Math.floor(lower + ROUNDING); // counts are whole numbers: outward
    higher = Math.ceil(higher - ROUNDING);
  }
  low[at] = Math.min(upper, Math.max(0, lower));
  high[at] = Math.min(upper, Math.max(0, higher));
}

/** Quantiles of the binomial law with this mean and variance, Poisson where they are equal. */
function smallCount(mean: number, variance: number): [number, number] {
  const gap = mean - variance;
  const trials =
    gap <= 1e-12 * mean ? Number.POSITIVE_INFINITY : Math.ceil(Math.max((mean * mean) / gap, mean) * (1 - 1e-9));
  return binomialQuantiles(trials, mean);
}

/** The smallest counts whose distribution function reaches each tail's end, by recurrence from P(0). */
export function binomialQuantiles(trials: number, mean: number): [number, number] {
  if (mean >= trials) return [trials, trials];
  const poisson = trials === Number.POSITIVE_INFINITY;
  const share = mean / trials;
  let mass = poisson ? Math.exp(-mean) : Math.exp(trials * Math.log1p(-share));
  let total = mass;
  let low = -1;
  let count = 0;
  while (total < 1 - TAIL && count < trials) {
    if (low < 0 && total >= TAIL) low = count;
    const ratio = poisson ? mean : ((trials - count) * share) / (1 - share);
    count++;
    mass *= ratio / count;
    total += mass;
  }
  return [low < 0 ? count : low, count];
}
