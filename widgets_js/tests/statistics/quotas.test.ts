import { expect, test } from "vitest";
import { websterQuotas } from "../../src/statistics/quotas.ts";

/** Seats one after the other to the earliest due: the definition, in its own words. */
function bySteps(votes: number[], seats: number): number[] {
  const quotas = votes.map(() => 0);
  for (let given = 0; given < seats; given++) {
    let next = -1;
    let earliest = Number.POSITIVE_INFINITY;
    votes.forEach((v, s) => {
      const due = ((quotas[s] as number) + 0.5) / v;
      if (v > 0 && due < earliest) {
        earliest = due;
        next = s;
      }
    });
    quotas[next] = (quotas[next] as number) + 1;
  }
  return quotas;
}

test.each([
  ["unequal", [165, 100.5, 3.25, 0.01]],
  ["equal, so all seats tie", [7, 7, 7, 7, 7]],
  ["one to three, tie in half of the seats", [1, 3, 1, 3]],
  ["a stratum that is never drawn", [0, 5, 2]],
] as const)("%s: as seats given one by one", (_, votes) => {
  for (const seats of [0, 1, 2, 3, 10, 37, 175]) {
    expect([...websterQuotas(Float64Array.from(votes), seats)]).toEqual(bySteps([...votes], seats));
  }
});

test("no epoch's quota is negative and sums are exact", () => {
  let state = 12345;
  const uniform = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  for (let trial = 0; trial < 40; trial++) {
    const votes = Float64Array.from({ length: 2 + (trial % 29) }, () => -Math.log(uniform()) * uniform() ** 8 * 1e4);
    let before: Float64Array = new Float64Array(votes.length);
    for (let epoch = 1; epoch <= 12; epoch++) {
      const now = websterQuotas(votes, epoch * 101);
      expect(now.reduce((sum, q) => sum + q, 0)).toBe(epoch * 101);
      expect(now.every((q, s) => q >= (before[s] as number))).toBe(true);
      before = now;
    }
  }
});
