// @vitest-environment node
import { expect, test } from "vitest";
import { integerMasses, quotas } from "../../src/statistics/quotas.ts";

/** Seats one after the other to the earliest due, in whole numbers: the definition, in its own words. */
function bySteps(masses: Float64Array, draws: number): number[] {
  const had = Array.from(masses, () => 0);
  for (let given = 0; given < draws; given++) {
    let next = -1;
    for (let s = 0; s < had.length; s++) {
      if (masses[s] === 0) continue;
      if (next < 0 || earlier(s, next)) next = s;
    }
    had[next] = (had[next] as number) + 1;
  }
  return had;

  function earlier(a: number, b: number): boolean {
    const dueA = BigInt(2 * (had[a] as number) + 1) * BigInt(masses[b] as number);
    const dueB = BigInt(2 * (had[b] as number) + 1) * BigInt(masses[a] as number);
    return dueA < dueB;
  }
}

test.each([
  ["unequal", [165, 100.5, 3.25, 0.01]],
  ["equal, so all draws tie", [7, 7, 7, 7, 7]],
  ["one to three, tie in half of the draws", [1, 3, 1, 3]],
  ["a stratum that is never drawn", [0, 5, 2]],
  ["masses that make long remainders", [1 / 3, 1 / 7, 1 / 11, 1 / 13, 1 / 17, 1e-9]],
] as const)("%s: as draws given one by one", (_, weights) => {
  const masses = integerMasses(new Float64Array(weights.length).fill(1), Float64Array.from(weights));
  for (const draws of [0, 1, 2, 3, 10, 37, 175, 1000]) {
    expect([...quotas(masses, draws)]).toEqual(bySteps(masses, draws));
  }
});

test("far into training the remainders stay exact", () => {
  const masses = integerMasses(Float64Array.of(1, 1, 1), Float64Array.of(1, Math.SQRT2, Math.PI));
  const total = [...masses].reduce((sum, mass) => sum + BigInt(mass), 0n);
  const draws = 3_000_000_017;
  const had = quotas(masses, draws);
  expect(had.reduce((sum, q) => sum + q, 0)).toBe(draws);
  had.forEach((q, s) => {
    const away = 2n * (BigInt(q) * total - BigInt(draws) * BigInt(masses[s] as number));
    expect(away > -3n * total && away < 3n * total).toBe(true);
  });
});

test("no epoch's quota is negative and sums are exact", () => {
  let state = 12345;
  const uniform = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  for (let trial = 0; trial < 40; trial++) {
    const weights = Float64Array.from({ length: 2 + (trial % 29) }, () => -Math.log(uniform()) * uniform() ** 8 * 1e4);
    const masses = integerMasses(new Float64Array(weights.length).fill(3), weights);
    let before: Float64Array = new Float64Array(masses.length);
    for (let epoch = 1; epoch <= 12; epoch++) {
      const now = quotas(masses, epoch * 101);
      expect(now.reduce((sum, q) => sum + q, 0)).toBe(epoch * 101);
      expect(now.every((q, s) => q >= (before[s] as number))).toBe(true);
      before = now;
    }
  }
});
