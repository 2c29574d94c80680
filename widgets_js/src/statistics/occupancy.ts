// How many rows of a small pool are unseen after independent draws: the exact law, as penstock.sampling.laws._occupancy.

/** Pools of fewer rows are told exactly; above, rows count as independent. */
export const SMALL_POOL = 64;

/** Beyond so many draws independent rows are within 1e-5 of the exact law of a small pool. */
export const MOST_DRAWS = 2 ** 20;

const BY_PRODUCT = 200;

/**
 * P(at most `allowed` rows unseen) after some independent draws; the rows' chances are above 0 and add up to 1.
 *
 * The number of ways is the coefficient of z^n of the product of exp(p z) - 1 + u over the rows, times n!, a power of u
 * counting the unseen; taken as the mean over points of the circle of radius n.
 */
export function atMostUnseen(
  sizes: ArrayLike<number>,
  chances: ArrayLike<number>,
  draws: number,
  allowed: number,
): number {
  const points = Math.ceil(9 * Math.sqrt(draws)) + 20;
  let sum = 0;
  for (let k = 0; 2 * k <= points; k++) {
    const twice = k === 0 || 2 * k === points ? 1 : 2;
    sum += twice * atPoint(sizes, chances, { draws, allowed, points, k });
  }
  return Math.min(1, Math.max(0, (sum * scaleOf(draws)) / points));
}

interface Point {
  readonly draws: number;
  readonly allowed: number;
  readonly points: number;
  readonly k: number;
}

/** The real part of the integrand at one point, its powers of u up to `allowed` added up. */
function atPoint(sizes: ArrayLike<number>, chances: ArrayLike<number>, { draws, allowed, points, k }: Point): number {
  const angle = (2 * Math.PI * k) / points;
  const sine = Math.sin(angle);
  const fall = -2 * Math.sin(angle / 2) ** 2; // cos - 1
  const re = new Float64Array(allowed + 1);
  const im = new Float64Array(allowed + 1);
  const phase = (-2 * Math.PI * ((draws * k) % points)) / points;
  re[0] = Math.cos(phase);
  im[0] = Math.sin(phase);
  for (let g = 0; g < sizes.length; g++) {
    const mean = (chances[g] as number) * draws;
    const missed = Math.exp(-mean);
    const size = Math.exp(mean * fall);
    const seenRe = size * Math.cos(mean * sine) - missed;
    const seenIm = size * Math.sin(mean * sine);
    for (let row = 0; row < (sizes[g] as number); row++) {
      for (let j = allowed; j >= 0; j--) {
        const a = re[j] as number;
        const b = im[j] as number;
        re[j] = a * seenRe - b * seenIm + (j > 0 ? (re[j - 1] as number) * missed : 0);
        im[j] = a * seenIm + b * seenRe + (j > 0 ? (im[j - 1] as number) * missed : 0);
      }
    }
  }
  return re.reduce((total, part) => total + part, 0);
}

/** n! e^n / n^n: a product, or Stirling's series. */
function scaleOf(n: number): number {
  if (n <= BY_PRODUCT) {
    let scale = 1;
    for (let number = 1; number <= n; number++) scale *= (number * Math.E) / n;
    return scale;
  }
  return Math.sqrt(2 * Math.PI * n) * (1 + 1 / (12 * n) + 1 / (288 * n ** 2) - 139 / (51840 * n ** 3));
}
