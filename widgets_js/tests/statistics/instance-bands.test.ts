// @vitest-environment node
// Bands of classes that a draw brings several times: ends that can come, by hand.
import { describe, expect, test } from "vitest";
import { statisticsOf } from "../../dev/strata.ts";
import type { Statistics } from "../../src/session/statistics-arrays.ts";
import { histogram } from "../../src/statistics/histogram.ts";
import { clausePatterns } from "../../src/statistics/patterns.ts";
import { drawPlan } from "../../src/statistics/plan.ts";

/** One class that comes ten at a time in 97 of 100 rows. */
function tens(): Statistics {
  const statistics = statisticsOf([{ size: 100, clauses: [], classes: { 0: [97, 970, 97_000 / 10] } }], 0, 1);
  return {
    ...statistics,
    values: { offsets: Int32Array.of(0, 0), counts: new Int32Array(0), rows: new Float64Array(0) },
  };
}

describe("a class that comes in tens", () => {
  test("has a band of tens: of five draws at most one without it, .97^5 + 5 .97^4 .03 = .9915", () => {
    const plan = drawPlan({ statistics: tens(), clauseWeights: [], combine: "max", draws: 5, mode: "iid" });
    const bars = histogram(plan, "instances");
    expect([bars.low[0], bars.high[0]]).toEqual([40, 50]);
  });

  test("keeps it where finer strata are merged first", () => {
    const fine = tens();
    const statistics = clausePatterns({ ...fine, header: { ...fine.header, level: "label_sets" } });
    const plan = drawPlan({ statistics, clauseWeights: [], combine: "max", draws: 5, mode: "iid" });
    expect(histogram(plan, "instances").low[0]).toBe(40);
  });
});
