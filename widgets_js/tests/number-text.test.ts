// @vitest-environment node
import { expect, test } from "vitest";
import { countText, shareText, tickText, timesText } from "../src/ui/number-text.ts";

test("counts", () => {
  expect([0, 12, 141.4, 1234, 56_700, 1_234_567, 2.5e9].map(countText)).toEqual([
    "0",
    "12",
    "141",
    "1,234",
    "56,700",
    "1.23M",
    "2.5G",
  ]);
  expect([0.42, 8.46, 42.34, 0.0001].map(countText)).toEqual(["0.42", "8.46", "42.3", "<0.001"]);
});

test("marks of an axis", () => {
  expect([0, 0.5, 200, 1500, 20_000, 3e6].map(tickText)).toEqual(["0", "0.5", "200", "1,500", "20k", "3M"]);
});

test("how many times", () => {
  expect([0.73, 1, 1.23, 11.76, 140.2].map(timesText)).toEqual(["×0.73", "×1", "×1.2", "×11.8", "×140"]);
});

test("a share is never all before it is all, nor none before it is none", () => {
  expect([0, 0.00001, 0.0021, 0.056, 0.564, 0.9996, 0.999999, 1].map(shareText)).toEqual([
    "0 %",
    "<0.01 %",
    "0.21 %",
    "5.6 %",
    "56 %",
    "99.96 %",
    ">99.99 %",
    "100 %",
  ]);
});
