// How many draws each stratum of a deck has had, in whole numbers that equal Python's (penstock.sampling.streams._quotas).
//
// Webster's apportionment: stratum s of mass W gets its draw number k at time (k + 1/2) T / W, T the sum of the masses;
// the first n events in time order, ties by stratum, are the first n draws.

const RESOLUTION = 2 ** 40;

/** The share of each stratum in whole parts of about 2^40, at least 1 where its weight is positive. */
export function integerMasses(sizes: Float64Array, weights: Float64Array): Float64Array {
  let total = 0;
  const masses = sizes.map((size, s) => {
    const product = size * (weights[s] as number);
    total += product;
    return product;
  });
  for (let s = 0; s < masses.length; s++) {
    if (!((weights[s] as number) > 0)) masses[s] = 0;
    else masses[s] = Math.max(1, Math.floor(((masses[s] as number) / total) * RESOLUTION + 0.5));
  }
  return masses;
}

/** Draws of each stratum among the first `draws`. */
export function quotas(masses: Float64Array, draws: number): Float64Array {
  const total = masses.reduce((sum, mass) => sum + mass, 0);
  const had = new Float64Array(masses.length);
  if (total === 0 || !Number.isFinite(draws)) return had;
  const table = { masses, total, shares: masses.map((mass) => mass / total) };
  const time = latestTime(table, draws, had);
  const missing = draws - hadAt(table, time, had);
  if (missing > 0) complete(table, time, missing, had);
  return had;
}

interface Table {
  readonly masses: Float64Array;
  readonly total: number;
  readonly shares: Float64Array;
}

/** Draws had at an integer time m: q = floor((2 m W + T) / (2 T)) each, into `had`; their sum. */
function hadAt({ masses, total, shares }: Table, time: number, had: Float64Array): number {
  let sum = 0;
  for (let s = 0; s < masses.length; s++) {
    const x = time * (shares[s] as number) + 0.5;
    let q = Math.floor(x);
    const doubt = 1e-15 * Math.abs(x) + 1e-15; // beyond what rounding can do to x
    if (x - q <= doubt || q + 1 - x <= doubt) q = exactlyHad(masses[s] as number, total, time, Math.round(x) - 1);
    had[s] = q;
    sum += q;
  }
  return sum;
}

/** The same where x is too near a whole number to tell: from the exact rest m W - q T. */
function exactlyHad(mass: number, total: number, time: number, guess: number): number {
  if (mass === 0) return 0;
  const rest = difference(time, mass, guess, total);
  return guess + Number(2 * rest >= total) - Number(2 * rest < -total);
}

const SPLIT = 2 ** 27 + 1;

/** a b - c d of whole numbers whose products exceed 2^53 but whose difference does not: exact, by Dekker's products. */
function difference(a: number, b: number, c: number, d: number): number {
  const ab = a * b;
  const cd = c * d;
  return ab - cd + (productError(a, b, ab) - productError(c, d, cd));
}

function productError(a: number, b: number, product: number): number {
  const aBig = a * SPLIT;
  const aHigh = aBig - (aBig - a);
  const aLow = a - aHigh;
  const bBig = b * SPLIT;
  const bHigh = bBig - (bBig - b);
  const bLow = b - bHigh;
  return aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
}

/** An integer time with just `draws` draws, else the largest with fewer. */
function latestTime(table: Table, draws: number, had: Float64Array): number {
  const strata = table.masses.length;
  let low = draws - strata - 1;
  let high = draws + strata + 1;
  let time = draws;
  for (;;) {
    const missing = draws - hadAt(table, time, had);
    if (missing === 0) return time;
    if (missing > 0) low = time;
    else high = time;
    if (high - low <= 1) return low;
    time = Math.min(Math.max(time + missing, low + 1), high - 1);
  }
}

/** The strata that have one more at the next integer time get it in the order it falls due. */
function complete(table: Table, time: number, missing: number, had: Float64Array): void {
  const { masses, total } = table;
  const after = new Float64Array(masses.length);
  hadAt(table, time + 1, after);
  const due = new Float64Array(masses.length);
  const next: number[] = [];
  for (let s = 0; s < masses.length; s++) {
    if ((after[s] as number) <= (had[s] as number)) continue;
    const mass = masses[s] as number;
    due[s] = (total - 2 * difference(time, mass, had[s] as number, total)) / (2 * mass);
    next.push(s);
  }
  next.sort((a, b) => (due[a] as number) - (due[b] as number) || a - b);
  for (const s of next.slice(0, missing)) had[s] = (had[s] as number) + 1;
}
