// Binomial(n, p) by the ratio of neighboring terms outward from the mode, then normalized: no log-gamma, no table, and
// Python does the same.

const NEGLIGIBLE = 1e-20; // of the largest term

/** The law on the counts that matter: cdf[i] = P(X <= first + i), its last entry 1. */
export interface CountLaw {
  readonly first: number;
  readonly cdf: Float64Array;
}

export function binomialLaw(n: number, p: number): CountLaw {
  if (p <= 0) return { first: 0, cdf: Float64Array.of(1) };
  if (p >= 1) return { first: n, cdf: Float64Array.of(1) };
  const odds = p / (1 - p);
  const mode = Math.min(n, Math.floor((n + 1) * p));
  const below: number[] = [];
  for (let k = mode, term = 1; k > 0; k--) {
    term *= k / ((n - k + 1) * odds);
    if (term < NEGLIGIBLE) break;
    below.push(term);
  }
  const lowest = mode - below.length;
  const terms = below.reverse();
  terms.push(1);
  for (let k = mode, term = 1; k < n; k++) {
    term *= ((n - k) * odds) / (k + 1);
    if (term < NEGLIGIBLE) break;
    terms.push(term);
  }
  return { first: lowest, cdf: cumulate(terms) };
}

function cumulate(terms: readonly number[]): Float64Array {
  const cdf = new Float64Array(terms.length);
  let total = 0;
  for (let i = 0; i < terms.length; i++) {
    total += terms[i] as number;
    cdf[i] = total;
  }
  for (let i = 0; i < cdf.length; i++) cdf[i] = (cdf[i] as number) / total;
  return cdf;
}

/** P(X <= k). */
export function cdfAt({ first, cdf }: CountLaw, k: number): number {
  if (k < first) return 0;
  return cdf[Math.min(Math.floor(k) - first, cdf.length - 1)] as number;
}

/** The smallest k with P(X <= k) >= q. */
export function quantileAt({ first, cdf }: CountLaw, q: number): number {
  let low = 0;
  let high = cdf.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cdf[middle] as number) >= q) high = middle;
    else low = middle + 1;
  }
  return first + low;
}
