// @vitest-environment node
import { describe, expect, it } from "vitest";
import type { ClauseInfo } from "../src/session/protocol.ts";
import { formatWeight, setWeight, setWeights } from "../src/session/text-binding.ts";

const TEXT = "select * sample by max_weight(contains(a, 'x'): 20, contains(a, '7'): 1.5, True: 1)";

function clause(expression: string, weight: number, literal: string | null): ClauseInfo {
  const start = TEXT.indexOf(expression) + expression.length;
  const from = literal === null ? null : TEXT.indexOf(literal, start);
  const span = from === null ? { from: null, to: null } : { from, to: from + (literal ?? "").length };
  return { expression, label: expression, class_index: null, weight, ...span };
}

const CLAUSES = [clause("contains(a, 'x')", 20, "20"), clause("contains(a, '7')", 1.5, "1.5"), clause("True", 1, "1")];

describe("formatWeight", () => {
  it.each([
    [12.3456, "12.3"],
    [0.01, "0.01"],
    [100, "100"],
    [1234, "1230"],
    [1, "1"],
    [0, "0"],
    [-3, "0"],
    [0.10004, "0.1"],
    [9.999, "10"],
    [0.012345, "0.0123"],
  ])("writes %f as %s", (value, text) => expect(formatWeight(value)).toBe(text));
});

describe("setWeight", () => {
  it("changes one literal and nothing else of the text", () => {
    const bound = setWeight(TEXT, CLAUSES, 0, 3);
    expect(bound.text).toBe("select * sample by max_weight(contains(a, 'x'): 3, contains(a, '7'): 1.5, True: 1)");
    expect(bound.change).toMatchObject({ insert: "3" });
  });

  it("keeps every span on its literal", () => {
    const bound = setWeight(TEXT, CLAUSES, 1, 12.34);
    const literals = bound.clauses.map((c) => bound.text.slice(c.from ?? 0, c.to ?? 0));
    expect(literals).toEqual(["20", "12.3", "1"]);
    expect(bound.clauses.map((c) => c.weight)).toEqual([20, 12.3, 1]);
  });

  it("leaves the text alone where a weight is no literal", () => {
    const bound = setWeight(TEXT, [clause("True", 1, null)], 0, 9);
    expect(bound).toMatchObject({ text: TEXT, change: null });
  });

  it("writes several at once", () => {
    const bound = setWeights(TEXT, CLAUSES, [0.5, 40, 100]);
    expect(bound.text).toContain("'x'): 0.5, contains(a, '7'): 40, True: 100)");
  });

  it.each([6.66667, 1 / 3, 0.30000000000000004, 1234.5, 2e-7])(
    "does not round %f, which no slider has set",
    (weight) => {
      const bound = setWeights(TEXT, CLAUSES, [weight]);
      expect(bound.clauses[0]?.weight).toBe(weight);
      expect(Number(bound.text.slice(bound.clauses[0]?.from ?? 0, bound.clauses[0]?.to ?? 0))).toBe(weight);
    },
  );
});
