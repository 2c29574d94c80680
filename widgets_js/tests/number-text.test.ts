// @vitest-environment node
import { expect, test } from "vitest";
import { axisText, countText, pluralText, shareText, timesText } from "../src/ui/number-text.ts";

test("counts", () => {
  expect([0, 12, 141.4, 1234, 56_700, 1_234_567, 2.5e9].map(countText)).toEqual([
    "0",
    "12",
    "141",
    "1,234",
    "56,700",
    "1,234,567",
    "2,500,000,000",
  ]);
  expect([0.42, 8.46, 42.34, 0.0001].map(countText)).toEqual(["0.42", "8.46", "42.3", "<0.001"]);
});

test("marks of an axis", () => {
  expect([0, 0.5, 200, 1500, 20_000, 99_999].map(axisText)).toEqual(["0", "0.5", "200", "1,500", "20,000", "99,999"]);
  expect([100_000, 150_000, 1_250_000, 3e6, 2e9].map(axisText)).toEqual(["100k", "150k", "1.25M", "3M", "2B"]);
});

test.each([0, 7, 4321, 99_999])("an axis below 100,000 says %d as a table does", (value) => {
  expect(axisText(value)).toBe(countText(value));
});

test("one edit, two edits", () => {
  expect([0, 1, 2000].map((edits) => pluralText(edits, "edit"))).toEqual(["0 edits", "1 edit", "2,000 edits"]);
  expect([1, 3].map((boxes) => pluralText(boxes, "box", "boxes"))).toEqual(["1 box", "3 boxes"]);
});

test("how many times", () => {
  expect([0.73, 1, 1.23, 11.76, 140.2].map(timesText)).toEqual(["×0.73", "×1", "×1.2", "×11.8", "×140"]);
});

test("a share is never all before it is all, nor none before it is none", () => {
  expect([0, 0.00001, 0.0021, 0.056, 0.564, 0.9996, 0.999999, 1].map(shareText)).toEqual([
    "0%",
    "<0.01%",
    "0.21%",
    "5.6%",
    "56%",
    "99.96%",
    ">99.99%",
    "100%",
  ]);
});
