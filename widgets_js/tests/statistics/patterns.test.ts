// @vitest-environment node
import { expect, test } from "vitest";
import { statisticsOf } from "../../dev/strata.ts";
import { clausePatterns } from "../../src/statistics/patterns.ts";

test("label sets merge into the clause patterns they belong to, ordered by bit string", () => {
  const sets = statisticsOf(
    [
      { size: 4, clauses: [0, 1], classes: { 0: 4 } },
      { size: 7, clauses: [1], classes: { 1: [7, 9, 13] } },
      { size: 2, clauses: [0, 1], classes: { 0: 2, 1: [2, 3, 5] } },
      { size: 5, clauses: [1] },
    ],
    2,
    2,
  );
  const found = clausePatterns({ ...sets, header: { ...sets.header, level: "label_sets" } });
  const told = statisticsOf(
    [
      { size: 12, clauses: [1], classes: { 1: [7, 9, 13] } },
      { size: 6, clauses: [0, 1], classes: { 0: 6, 1: [2, 3, 5] } },
    ],
    2,
    2,
  );
  expect(found).toEqual(told);
});

test("strata that are clause patterns stay as they are", () => {
  const patterns = statisticsOf([{ size: 3, clauses: [0] }], 1);
  expect(clausePatterns(patterns)).toBe(patterns);
});
