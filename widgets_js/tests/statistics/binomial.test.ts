// @vitest-environment node
import { expect, test } from "vitest";
import { binomialLaw, cdfAt, quantileAt } from "../../src/statistics/binomial.ts";

function exact(n: number, p: number, k: number): number {
  let choose = 1;
  let sum = 0;
  for (let i = 0; i <= k; i++) {
    sum += choose * p ** i * (1 - p) ** (n - i);
    choose = (choose * (n - i)) / (i + 1);
  }
  return sum;
}

test.each([
  [10, 0.3],
  [40, 0.02],
  [50, 0.97],
] as const)("Binomial(%i, %f) is the sum of its terms", (n, p) => {
  const law = binomialLaw(n, p);
  for (let k = 0; k < n; k++) expect(Math.abs(cdfAt(law, k) - exact(n, p, k))).toBeLessThan(1e-12);
  expect(cdfAt(law, n)).toBe(1);
  expect(cdfAt(law, -1)).toBe(0);
});

test("a row of certain or impossible draw", () => {
  expect(quantileAt(binomialLaw(7, 0), 0.975)).toBe(0);
  expect(quantileAt(binomialLaw(7, 1), 0.025)).toBe(7);
});

test("the quantile is the first count whose distribution function reaches it", () => {
  const law = binomialLaw(20, 0.1);
  for (const q of [0.025, 0.5, 0.975]) {
    const k = quantileAt(law, q);
    expect(cdfAt(law, k)).toBeGreaterThanOrEqual(q);
    expect(cdfAt(law, k - 1)).toBeLessThan(q);
  }
});

test("a million draws stay accurate: the variance is np(1-p)", () => {
  const law = binomialLaw(1_000_000, 0.3);
  let mean = 0;
  let square = 0;
  law.cdf.forEach((value, i) => {
    const term = value - (i === 0 ? 0 : (law.cdf[i - 1] as number));
    mean += term * (law.first + i);
    square += term * (law.first + i - 300_000) ** 2;
  });
  expect(mean).toBeCloseTo(300_000, 4);
  expect(square).toBeCloseTo(210_000, 1);
});
