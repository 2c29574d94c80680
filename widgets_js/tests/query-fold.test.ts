// When SAMPLE BY is a pill, and what it says.
import { describe, expect, it } from "vitest";
import { isLong, linesOf, sampleBy } from "../src/query/fold.ts";
import { tokens } from "../src/query/tokens.ts";

const fold = (text: string) => sampleBy(text, tokens(text));

describe("the fold of SAMPLE BY", () => {
  it.each([
    ["two clauses", "select * sample by max_weight(contains(labels, 'a'): 2, True: 1)", "max_weight", "2 clauses", ""],
    [
      "what stands after it stays",
      "select * sample by sum_weight(a: 2, b: 1) limit 5",
      "sum_weight",
      "2 clauses",
      " limit 5",
    ],
    ["one clause", "select * sample by max_weight(True: 1)", "max_weight", "1 clause", ""],
    ["a table", "select * sample by max_weight(classes(labels, $w))", "max_weight", "a weight for each class", ""],
    [
      "commas and brackets in text",
      "select * sample by max_weight(contains(labels, 'a),('): 2)",
      "max_weight",
      "1 clause",
      "",
    ],
    ["commas in an index", "select * sample by max_weight(x[0, 1] > 2: 2, True: 1)", "max_weight", "2 clauses", ""],
    ["capitals and lines", "select *\nSAMPLE  BY\nmax_weight(a: 1,\nb: 2,\nTrue: 1)", "max_weight", "3 clauses", ""],
  ])("folds %s", (_what, text, name, content, after) => {
    const found = fold(text);
    expect(found?.name).toBe(name);
    expect(found?.content).toBe(content);
    expect(text.slice(0, found?.from).trimEnd()).toBe("select *");
    expect(text.slice(found?.to)).toBe(after);
  });

  it.each([
    ["no SAMPLE BY", "select * where a > 1"],
    ["a weight that is no call", "select * sample by score"],
    ["a bracket that is not closed", "select * sample by max_weight(a: 1"],
    ["the words in a text", "select * where caption = 'sample by max_weight(a: 1)'"],
    ["nothing", ""],
  ])("folds nothing in %s", (_what, text) => expect(fold(text)).toBeNull());
});

describe("lines of a text", () => {
  it.each([
    ["nothing", "", 10, 1],
    ["a line that just fits", "0123456789", 10, 1],
    ["a space at the end does not count", "0123456789 ", 10, 1],
    ["two words that do not fit", "01234 56789a", 10, 2],
    ["a word longer than a line", "0123456789abcdefghijk", 10, 3],
    ["lines of its own", "a\nb\n\nc", 10, 4],
    ["no room at all", "a b", 0, 1],
  ])("%s", (_what, text, columns, lines) => expect(linesOf(text, columns)).toBe(lines));

  it("is long from three lines on", () => {
    expect(isLong("01234 01234", 6)).toBe(false);
    expect(isLong("01234 01234 01234", 6)).toBe(true);
    expect(isLong("a\nb", 80)).toBe(false);
    expect(isLong("a\nb\nc", 80)).toBe(true);
  });
});
