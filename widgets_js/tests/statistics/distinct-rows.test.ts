// A pool that holds samples at several positions: a three times and b once in stratum 0, c twice in stratum 1.
import { expect, it } from "vitest";
import { statisticsOf } from "../../dev/strata.ts";
import { coverageCurves, shownCurves } from "../../src/coverage/coverage-curves.ts";
import { ofDistinctRows } from "../../src/statistics/distinct-rows.ts";
import { type DrawPlan, drawPlan } from "../../src/statistics/plan.ts";
import { seenLaws, timesSeen } from "../../src/statistics/times-seen.ts";

const folded = {
  sizes: Float64Array.of(1, 1, 1),
  offsets: Int32Array.of(0, 1, 2, 3),
  strata: Int32Array.of(0, 0, 1),
  times: Float64Array.of(3, 1, 2),
  classOffsets: Int32Array.of(0, 1, 1, 2),
  classIds: Int32Array.of(0, 0),
  rowsWithClass: Float64Array.of(1, 1),
};

function plan(mode: "iid" | "once", clauseWeights: number[]): DrawPlan {
  const strata = [
    { size: 4, clauses: [0], classes: { 0: 3 } },
    { size: 2, clauses: [0, 1], classes: { 0: 2 } },
  ];
  const statistics = { ...statisticsOf(strata, 2, 1), folded };
  return drawPlan({ statistics, clauseWeights, combine: "max", draws: 6, mode });
}

it("counts distinct samples, each with the weights of all its positions", () => {
  const curves = coverageCurves(plan("iid", [1, 3]), 6);
  const [iid] = shownCurves(curves, 4);
  expect(curves.rows).toBe(3);
  expect(curves.modes).toEqual(["iid"]);
  expect(iid?.coverage.unique[0]).toBeCloseTo(3 - (0.7 ** 6 + 0.9 ** 6 + 0.4 ** 6), 12);
});

it("leaves a pass nothing unseen, though it has more draws than samples", () => {
  const curves = coverageCurves(plan("once", [1, 1]), 6);
  const [once] = shownCurves(curves, 4);
  expect(curves.modes).toEqual(["iid", "once"]);
  expect(once?.coverage.unique[0]).toBe(3);
  expect(once?.coverage.low[0]).toBe(3);
  expect(curves.plans.once.draws).toBe(6);
});

it("brings each sample of a pass as often as the pool holds it", () => {
  const pass = ofDistinctRows(plan("once", [1, 1]));
  const shares = timesSeen(pass, seenLaws(pass, 2), null, [1, 2, 3, 4, 5, 6]);
  expect(Array.from(shares, (share) => Math.round(3 * share))).toEqual([0, 1, 1, 2, 2, 3]);
  expect(timesSeen(pass, seenLaws(pass, 1), 0, [1, 2, 3])).toEqual(Float64Array.of(0, 0.5, 1));
});
