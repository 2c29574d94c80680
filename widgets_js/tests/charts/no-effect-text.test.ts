// @vitest-environment node
import { expect, test } from "vitest";
import { statisticsOf } from "../../dev/strata.ts";
import { noEffectText } from "../../src/class-table/no-effect-text.ts";
import type { ClauseInfo } from "../../src/session/protocol.ts";
import { clausesWithoutEffect } from "../../src/statistics/effects.ts";

const clause = (expression: string, label = expression): ClauseInfo => ({
  expression,
  label,
  class_index: null,
  weight: 1,
  from: 0,
  to: 1,
});

test("of two equal clauses the later one says that it repeats", () => {
  const strata = statisticsOf(
    [
      { size: 5, clauses: [0, 1, 2] },
      { size: 9, clauses: [2] },
    ],
    3,
  );
  const clauses = [
    clause("contains(labels, 'Cross')", "Cross"),
    clause("contains(labels, 'Cross')", "Cross"),
    clause("True"),
  ];
  const notes = (weights: number[]) =>
    clausesWithoutEffect(strata, weights, "max").map((reason, own) => noEffectText(reason, clauses, own)?.long ?? null);
  expect(notes([20, 20, 1])).toEqual([null, "no effect: repeats a clause above", null]);
  expect(notes([20, 30, 1])).toEqual(["no effect below 30, the weight of Cross", null, null]);
  expect(notes([1, 1, 1])).toEqual([null, "no effect: repeats a clause above", null]);
});

test("a clause that matches nothing, and one that others settle", () => {
  const strata = statisticsOf([{ size: 5, clauses: [0, 1] }], 3);
  const clauses = [clause("a"), clause("b"), clause("c")];
  const notes = (weights: number[]) =>
    clausesWithoutEffect(strata, weights, "product").map(
      (reason, own) => noEffectText(reason, clauses, own)?.long ?? null,
    );
  expect(notes([0, 3, 2])).toEqual([
    null,
    "no effect: other clauses decide the weight of these samples",
    "no effect: no sample of the pool matches",
  ]);
});

test("the row says from which weight on, its tooltip who wins", () => {
  const reason = { kind: "covered", by: 1, weight: 24.5, tie: false } as const;
  const clauses = [clause("a"), clause("contains(labels, 'Ring')", "Ring")];
  const ring = { ...(clauses[1] as ClauseInfo), class_index: 4 };
  expect(noEffectText(reason, [clauses[0] as ClauseInfo, ring], 0)).toEqual({
    short: "no effect ≤ 24.5",
    long: "no effect below 24.5, the weight of Ring",
  });
});
