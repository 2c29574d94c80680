// @vitest-environment node
import { describe, expect, test } from "vitest";
import { type Stratum, statisticsOf } from "../../dev/strata.ts";
import { certificate, coverage, epochsToSee, rowsOfShare } from "../../src/statistics/coverage.ts";
import { histogram } from "../../src/statistics/histogram.ts";
import { lawOf, normalCdf } from "../../src/statistics/laws.ts";
import { type DrawPlan, drawPlan } from "../../src/statistics/plan.ts";
import { seenLaws, timesSeen } from "../../src/statistics/times-seen.ts";

const epochsToCover = (plan: DrawPlan, share: number, quantile: number) =>
  epochsToSee(plan, rowsOfShare(share, plan.statistics.header.num_rows), quantile);

const N = 112120; // rows of the NIH table; Hernia 227, Pneumonia 1431, both 3
const nih = statisticsOf(
  [
    { size: 224, clauses: [0, 2], classes: { 0: 224 } },
    { size: 1428, clauses: [1, 2], classes: { 1: 1428 } },
    { size: 3, clauses: [0, 1, 2], classes: { 0: 3, 1: 3 } },
    { size: N - 1655, clauses: [2] },
  ],
  3,
  2,
);
const nihPlan = (clauseWeights: number[], combine: "max" | "sum" | "product" = "max", mode: DrawPlan["mode"] = "iid") =>
  drawPlan({ statistics: nih, clauseWeights, combine, draws: N, mode });

describe("shares and coverage of the published NIH counts", () => {
  test.each([
    { weights: [1, 1, 1], combine: "max", total: 112120, hernia: 0.002025, pneumonia: 0.012763, seen: 0.63212 },
    { weights: [20, 1, 1], combine: "max", total: 116433, hernia: 0.038992, pneumonia: 0.01278, seen: 0.61901 },
    { weights: [20, 5, 1], combine: "max", total: 122145, hernia: 0.037169, pneumonia: 0.058946, seen: 0.60642 },
    { weights: [20, 5, 1], combine: "sum", total: 123815, hernia: 0.038622, pneumonia: 0.06983, seen: 0.60159 },
    { weights: [20, 5, 0], combine: "max", total: 11680, hernia: 0.388699, pneumonia: 0.616438, seen: 0.01476 },
  ] as const)("$combine of $weights", ({ weights, combine, total, hernia, pneumonia, seen }) => {
    const plan = nihPlan([...weights], combine);
    expect(plan.total).toBe(total);
    const { expected, raw } = histogram(plan, "samples");
    expect([...raw]).toEqual([227, 1431]);
    expect((expected[0] as number) / N).toBeCloseTo(hernia, 6);
    expect((expected[1] as number) / N).toBeCloseTo(pneumonia, 6);
    expect((coverage(plan, 1).unique[0] as number) / N).toBeCloseTo(seen, 5);
  });

  test("a product leaves rows that no clause names at weight 1 and multiplies the others", () => {
    const plan = nihPlan([3, 5, 1], "product");
    expect([...plan.weights]).toEqual([3, 5, 15, 1]);
  });

  test("rows of weight 0 bound the coverage and the answer is never", () => {
    const plan = nihPlan([20, 5, 0]);
    expect(plan.drawable).toBe(1655);
    expect(epochsToCover(plan, 0.9, 0.5)).toBeNull();
    expect(epochsToCover(plan, 1655 / N, 0.5)).toBe(1);
  });

  test("all weights zero draw nothing and raise nothing", () => {
    for (const mode of ["iid", "deck", "once"] as const) {
      const plan = nihPlan([0, 0, 0], "max", mode);
      expect([...histogram(plan, "samples").expected]).toEqual([0, 0]);
      expect([...coverage(plan, 2).unique]).toEqual([0, 0]);
      expect(certificate(plan)).toBeNull();
    }
  });
});

const article: Stratum[] = [
  { size: 165, clauses: [0], classes: { 0: 165 } },
  { size: 10, clauses: [1], classes: { 1: 10 } },
];
const pair = (mode: DrawPlan["mode"], draws = 175) =>
  drawPlan({ statistics: statisticsOf(article, 2, 2), clauseWeights: [10, 165], combine: "max", draws, mode });

describe("165 rows against 10, each half of the draws", () => {
  test("independent draws: rows seen after 1, 2, 5 and 10 epochs, and their spread", () => {
    const seen = [1, 2, 5, 10].map((e) => lawOf(pair("iid")).unseen(e));
    expect(seen.map(({ mean }) => Number((175 - mean).toFixed(2)))).toEqual([77.99, 117.96, 163.41, 174.19]);
    expect(seen.map(({ variance }) => Number(Math.sqrt(variance).toFixed(2)))).toEqual([4.99, 5.18, 3.11, 0.89]);
  });

  test("independent draws: epochs until all rows are seen", () => {
    expect([0.05, 0.5, 0.95, 0.99].map((q) => epochsToCover(pair("iid"), 1, q))).toEqual([8, 11, 16, 19]);
  });

  test("independent draws: epochs until 90, 95 and 99 % are seen", () => {
    expect([0.9, 0.95, 0.99].map((share) => epochsToCover(pair("iid"), share, 0.5))).toEqual([5, 6, 9]);
  });

  test("dealt draws: 98 rows after the first epoch, all after the second", () => {
    expect([...coverage(pair("deck"), 2).unique]).toEqual([98, 175]);
    expect(certificate(pair("iid"))).toBe(2);
  });

  test("dealt draws: bars of a stratum that is a class have no spread", () => {
    const { expected, low, high } = histogram(pair("deck"), "samples");
    expect([...expected]).toEqual([88, 87]);
    expect([...low]).toEqual([88, 87]);
    expect([...high]).toEqual([88, 87]);
  });

  test("dealt draws: each minority row is seen 8 or 9 times in an epoch", () => {
    const plan = pair("deck");
    const ecdf = timesSeen(plan, seenLaws(plan, 1), 1, [7, 8, 9]);
    expect(ecdf[0]).toBe(0);
    expect(ecdf[1]).toBeCloseTo(0.3, 12); // 87 = 8 · 10 + 7
    expect(ecdf[2]).toBe(1);
  });

  test("without replacement, as many draws as rows give the raw histogram and all rows", () => {
    const plan = pair("once");
    expect([...histogram(plan, "samples").expected]).toEqual([165, 10]);
    expect([...coverage(plan, 1).unique]).toEqual([175]);
  });

  test("without replacement, the inclusion probabilities sum to the draws", () => {
    const { expected } = histogram(pair("once", 40), "samples");
    expect((expected[0] as number) + (expected[1] as number)).toBeCloseTo(40, 9);
    expect((expected[1] as number) / 10).toBeGreaterThan(0.9);
  });

  test("independent draws: times seen follow the binomial", () => {
    const plan = pair("iid");
    const ecdf = timesSeen(plan, seenLaws(plan, 1), 0, [0]);
    expect(ecdf[0]).toBeCloseTo((1 - 1 / 330) ** 175, 12);
  });
});

test("instances of a class with several in a row spread by their second moment", () => {
  const statistics = statisticsOf([{ size: 10, clauses: [], classes: { 0: [4, 12, 40] } }], 0, 1);
  const plan = drawPlan({ statistics, clauseWeights: [], combine: "max", draws: 1000, mode: "iid" });
  const { expected, high } = histogram(plan, "instances");
  expect(expected[0]).toBeCloseTo(1200, 9);
  expect(((high[0] as number) - 1200) / 1.959963984540054).toBeCloseTo(Math.sqrt(1000 * (4 - 1.44)), 9);
});

test("the normal distribution function at tabulated points", () => {
  for (const [z, p] of [
    [0, 0.5],
    [1, 0.8413447460685429],
    [-1.959963984540054, 0.025],
    [4, 0.9999683287581669],
    [-6, 9.865876450376946e-10],
  ] as const) {
    expect(Math.abs(normalCdf(z) - p) / p).toBeLessThan(1e-12);
  }
});
