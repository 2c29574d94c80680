// @vitest-environment node
// Python and TypeScript say the same: tests/golden/sampling.json, worked out from closed forms by neither of them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Mode, Unit } from "../../src/session/protocol.ts";
import type { Statistics } from "../../src/session/statistics-arrays.ts";
import { certificate, coverage, epochsToSee, rowsOfShare } from "../../src/statistics/coverage.ts";
import { clausesWithoutEffect } from "../../src/statistics/effects.ts";
import { histogram } from "../../src/statistics/histogram.ts";
import { type DrawPlan, drawPlan, masses } from "../../src/statistics/plan.ts";
import { quotas } from "../../src/statistics/quotas.ts";
import { seenLaws, timesSeen } from "../../src/statistics/times-seen.ts";

interface Bars {
  mean: number[];
  low: number[];
  high: number[];
}

interface Expected {
  draws: number;
  histogram: Record<Unit, Bars>;
  coverage: { unique: number[]; low: number[]; high: number[] };
  epochs_to_cover: (number | null)[][];
  times_seen: Record<string, (number[] | null)[]>;
  masses: number[];
  quotas: number[][];
  certificate: number;
}

interface Case {
  name: string;
  num_rows: number;
  num_strata: number;
  num_classes: number;
  num_clauses: number;
  arrays: Record<string, number[]>;
  weights: number[];
  combine: "max" | "sum" | "product";
  cap: number | null;
  draws: number;
  expect: {
    stratum_weights: number[];
    probabilities: number[];
    no_effect: number[];
  } & Record<Mode, Expected>;
}

const path = join(import.meta.dirname, "../../../tests/golden/sampling.json");
const golden = JSON.parse(readFileSync(path, "utf8")) as {
  num_epochs: number;
  shares: number[];
  quantiles: number[];
  times_seen_epochs: number[];
  max_times: number;
  cases: Case[];
};

function statisticsOf(one: Case): Statistics {
  const float = (name: string) => Float64Array.from(one.arrays[name] ?? []);
  const int = (name: string) => Int32Array.from(one.arrays[name] ?? []);
  const { num_rows, num_strata, num_classes, num_clauses } = one;
  return {
    header: { num_rows, num_strata, num_classes, num_clauses, arrays: [], level: "clauses", bin_error: 0 },
    sizes: float("sizes"),
    clauseOffsets: int("clause_offsets"),
    clauseIds: int("clause_ids"),
    classOffsets: int("class_offsets"),
    classIds: int("class_ids"),
    rowsWithClass: float("rows_with_class"),
    instances: float("instances"),
    instancesSquared: float("instances_squared"),
    values: one.arrays.value_offsets
      ? { offsets: int("value_offsets"), counts: int("value_counts"), rows: float("value_rows") }
      : null,
    weights: null,
    unlabeled: null,
    folded: null,
  };
}

function planOf(one: Case, mode: Mode): DrawPlan {
  const { weights, combine, cap, draws } = one;
  return drawPlan({ statistics: statisticsOf(one), clauseWeights: weights, combine, cap, draws, mode });
}

/** Equal to 1e-9, relative or absolute. */
function close(found: ArrayLike<number>, told: readonly number[]): void {
  expect(found.length).toBe(told.length);
  told.forEach((value, i) => {
    const away = Math.abs((found[i] as number) - value);
    if (!(away <= 1e-9 * Math.max(1, Math.abs(value)))) expect(found[i]).toBe(value);
  });
}

test("the golden file has cases", () => {
  expect(golden.cases.length).toBeGreaterThan(10);
});

describe.each(golden.cases)("$name", (one) => {
  test("weights, probabilities and clauses without effect", () => {
    const plan = planOf(one, "iid");
    close(plan.weights, one.expect.stratum_weights);
    close(
      plan.weights.map((weight) => weight / plan.total),
      one.expect.probabilities,
    );
    const idle = clausesWithoutEffect(plan.statistics, one.weights, one.combine, one.cap);
    expect([...idle.keys()].filter((clause) => idle[clause] !== null)).toEqual(one.expect.no_effect);
  });

  describe.each(["iid", "deck", "once"] as const)("%s", (mode) => {
    const told = one.expect[mode];
    const plan = planOf(one, mode);

    test("draws and histogram", () => {
      expect(plan.draws).toBe(told.draws);
      for (const unit of ["instances", "samples"] as const) {
        const bars = histogram(plan, unit);
        close(bars.expected, told.histogram[unit].mean);
        close(bars.low, told.histogram[unit].low);
        close(bars.high, told.histogram[unit].high);
      }
    });

    test("coverage", () => {
      const found = coverage(plan, golden.num_epochs);
      close(found.unique, told.coverage.unique);
      close(found.low, told.coverage.low);
      close(found.high, told.coverage.high);
    });

    test("epochs to cover", () => {
      const found = golden.shares.map((share) =>
        golden.quantiles.map((quantile) => epochsToSee(plan, rowsOfShare(share, one.num_rows), quantile)),
      );
      expect(found).toEqual(told.epochs_to_cover);
    });

    test("times seen", () => {
      const times = Array.from({ length: golden.max_times + 1 }, (_, k) => k);
      for (const epochs of golden.times_seen_epochs) {
        const laws = seenLaws(plan, epochs);
        told.times_seen[String(epochs)]?.forEach((cdf, classIndex) => {
          const found = timesSeen(plan, laws, classIndex, times);
          if (cdf === null) expect(found.every(Number.isNaN)).toBe(true);
          else close(found, cdf);
        });
      }
    });
  });

  test("deck quotas and certificate are the same whole numbers", () => {
    const plan = planOf(one, "deck");
    const parts = masses(plan);
    expect([...parts]).toEqual(one.expect.deck.masses);
    let before = quotas(parts, 0);
    one.expect.deck.quotas.forEach((told, epoch) => {
      const now = quotas(parts, (epoch + 1) * plan.draws);
      expect(Array.from(now, (q, s) => q - (before[s] as number))).toEqual(told);
      before = now;
    });
    expect(certificate(plan)).toBe(one.expect.deck.certificate);
  });
});
