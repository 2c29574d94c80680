// Drawing without replacement by exponential keys: a row of weight w is in with probability 1 - exp(-w T), where T makes
// the expected number of rows the number of draws.

const MAX_STEPS = 200;

/** Solve sum n (1 - exp(-w T)) = draws. The sum is concave in T, so Newton from draws / sum(n w) climbs to the root. */
export function exposure(sizes: Float64Array, weights: Float64Array, draws: number): number {
  let total = 0;
  let drawable = 0;
  for (let s = 0; s < sizes.length; s++) {
    total += (sizes[s] as number) * (weights[s] as number);
    if ((weights[s] as number) > 0) drawable += sizes[s] as number;
  }
  if (draws >= drawable) return Number.POSITIVE_INFINITY;
  let time = draws / total;
  for (let step = 0; step < MAX_STEPS; step++) {
    let missing = draws;
    let slope = 0;
    for (let s = 0; s < sizes.length; s++) {
      const weight = weights[s] as number;
      const size = sizes[s] as number;
      missing += size * Math.expm1(-weight * time);
      slope += size * weight * Math.exp(-weight * time);
    }
    const next = time + missing / slope;
    if (!(next > time)) break;
    time = next;
  }
  return time;
}

/** Probability that a row of each stratum is in one epoch. */
export function inclusion(sizes: Float64Array, weights: Float64Array, draws: number): Float64Array {
  const time = exposure(sizes, weights, draws);
  return weights.map((weight) => (weight > 0 ? -Math.expm1(-weight * time) : 0));
}
