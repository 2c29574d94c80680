// @vitest-environment node
import { describe, expect, it } from "vitest";
import { minimalChange } from "../src/query/editor.ts";
import { followEdit, poolText, sameButWeights, sameStructure } from "../src/session/live-text.ts";
import type { ClauseInfo } from "../src/session/protocol.ts";

const TEXT = "sample by max_weight(a: 20, True: 1)";
const clause = (expression: string, weight: number, from: number, to: number): ClauseInfo => ({
  expression,
  label: expression,
  class_index: null,
  weight,
  from,
  to,
});
const CLAUSES = [clause("a", 20, 24, 26), clause("True", 1, 34, 35)];

/** The position map of one replacement, as an editor gives it. */
function mapOf(from: number, to: number, length: number) {
  return (position: number, side: -1 | 1): number => {
    if (position < from || (position === from && side < 0)) return position;
    if (position > to || (position === to && side > 0)) return position + length - (to - from);
    return side < 0 ? from : from + length;
  };
}

describe("followEdit", () => {
  it("takes a number typed into a literal as its weight, and moves the spans behind it", () => {
    const text = "sample by max_weight(a: 2.5, True: 1)";
    const { clauses, onlyNumbers } = followEdit(text, CLAUSES, mapOf(24, 26, 3), false);
    expect(onlyNumbers).toBe(true);
    expect(clauses.map(({ weight }) => weight)).toEqual([2.5, 1]);
    expect(clauses.map(({ from, to }) => text.slice(from ?? 0, to ?? 0))).toEqual(["2.5", "1"]);
  });

  it("keeps the last weight while the literal is no number", () => {
    const { clauses, onlyNumbers } = followEdit("sample by max_weight(a: , True: 1)", CLAUSES, mapOf(24, 26, 0), false);
    expect(onlyNumbers).toBe(false);
    expect(clauses[0]?.weight).toBe(20);
  });

  it("calls a change elsewhere a change of structure", () => {
    const { clauses, onlyNumbers } = followEdit(` ${TEXT}`, CLAUSES, mapOf(0, 0, 1), true);
    expect(onlyNumbers).toBe(false);
    expect(clauses.map(({ from }) => from)).toEqual([25, 35]);
  });
});

it("two parses have one structure when their expressions are the same in order", () => {
  expect(sameStructure(CLAUSES, [clause("a", 3, 0, 1), clause("True", 9, 3, 4)])).toBe(true);
  expect(sameStructure(CLAUSES, [...CLAUSES].reverse())).toBe(false);
});

describe("sameButWeights", () => {
  const query = (text: string, ...weights: string[]) => ({
    text,
    clauses: weights.map((weight, i) => {
      const from = text.indexOf(`: ${weight}`) + 2;
      return clause(`${i}`, Number(weight), from, from + weight.length);
    }),
  });

  it("holds for texts that differ in the literals of their weights", () =>
    expect(
      sameButWeights(query("max_weight(a: 20, b: 1)", "20", "1"), query("max_weight(a: 3.25, b: 7)", "3.25", "7")),
    ).toBe(true));

  it("does not hold where anything else differs", () => {
    expect(sameButWeights(query("max_weight(a: 20)", "20"), query("max_weight(a: 20) limit 3", "20"))).toBe(false);
    expect(sameButWeights(query("max_weight(a: 20)", "20"), query("max_weight(b: 20)", "20"))).toBe(false);
    expect(sameButWeights(query("max_weight(a: 20)", "20"), query("select *"))).toBe(false);
  });

  it("passes over clauses without a literal", () => {
    const free = { ...clause("a", 1, 0, 0), from: null, to: null };
    expect(sameButWeights({ text: "x", clauses: [free] }, { text: "x", clauses: [] })).toBe(true);
  });
});

describe("poolText", () => {
  it.each([
    ["select *", "select *"],
    ["select  *\nSAMPLE  BY x", "select *"],
    ["select * where t = 'sample by me' sample by x", "select * where t = 'sample by me'"],
    ["select * where t = 'sample by me'", "select * where t = 'sample by me'"],
    ["select * where t = 'it''s' sample by x", "select * where t = 'it''s'"],
  ])("of %j is %j", (text, pool) => expect(poolText(text)).toBe(pool));
});

describe("minimalChange", () => {
  it.each([
    ["a: 20, b", "a: 3, b"],
    ["", "select"],
    ["aaa", "aa"],
    ["abc", "abc"],
    ["ab", "aab"],
  ])("turns %j into %j", (before, after) => {
    const { from, to, insert } = minimalChange(before, after);
    expect(before.slice(0, from) + insert + before.slice(to)).toBe(after);
    expect(insert.length + (to - from)).toBeLessThanOrEqual(Math.max(before.length, after.length));
  });

  it("touches only the literal", () =>
    expect(minimalChange("x: 20, y: 1", "x: 8, y: 1")).toEqual({ from: 3, to: 5, insert: "8" }));
});
