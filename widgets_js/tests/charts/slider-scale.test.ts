// @vitest-environment node
import { expect, test } from "vitest";
import { END, mostFor, positionOf, weightAfterKey, weightAt } from "../../src/class-table/slider-scale.ts";

test("the ends, the center and their detents", () => {
  expect([0, 19].map((position) => weightAt(position))).toEqual([0, 0]);
  expect(weightAt(20)).toBe(0.01);
  expect([492, 500, 508].map((position) => weightAt(position))).toEqual([1, 1, 1]);
  expect(weightAt(END)).toBe(100);
});

test("each half is logarithmic", () => {
  expect(weightAt(750)).toBe(10);
  expect(weightAt(260)).toBe(0.1);
});

test("a weight stands where the slider would give it back", () => {
  for (const weight of [0, 0.01, 0.05, 0.33, 1, 1.5, 6, 20, 99, 100]) {
    const back = weightAt(positionOf(weight));
    expect(Math.abs(back - weight)).toBeLessThanOrEqual(0.02 * weight);
  }
});

test.each([
  [[], 100],
  [[20, 0, 1], 100],
  [[100, 0.01], 100],
  [[250], 1000],
  [[0.004], 1000],
  [[1000], 1000],
  [[7, 12_345], 100_000],
])("sliders at %j reach %d", (weights, most) => {
  expect(mostFor(weights)).toBe(most);
});

test("a slider that reaches 1,000 goes as far to the left", () => {
  expect(weightAt(END, 1000)).toBe(1000);
  expect(weightAt(20, 1000)).toBe(0.001);
  expect(weightAt(500, 1000)).toBe(1);
  expect(weightAt(0, 1000)).toBe(0);
  expect(positionOf(1000, 1000)).toBe(END);
});

test.each([
  ["ArrowRight", 20, 22],
  ["ArrowRight", 1, 1.1],
  ["ArrowLeft", 11, 10],
  ["ArrowLeft", 0.01, 0],
  ["PageUp", 8, 16],
  ["PageDown", 8, 4],
  ["Home", 8, 0],
  ["End", 8, 100],
  ["ArrowRight", 0, 0.01],
  ["ArrowLeft", 0, 0],
  ["ArrowRight", 100, 110],
  ["ArrowRight", 0.95, 1],
  ["PageDown", 1.5, 1],
] as const)("%s from %f gives %f", (key, from, to) => {
  expect(weightAfterKey(from, key)).toBe(to);
});

test("other keys are not ours", () => {
  for (const key of ["d", "ArrowUp", "ArrowDown"]) expect(weightAfterKey(1, key)).toBeNull();
  expect(weightAfterKey(1, "Tab")).toBeNull();
});

test("ten steps up and ten down come back to where they began, within three digits", () => {
  let weight = 1;
  for (let i = 0; i < 10; i++) weight = weightAfterKey(weight, "ArrowRight") as number;
  expect(weight).toBeCloseTo(1.1 ** 10, 1);
  for (let i = 0; i < 10; i++) weight = weightAfterKey(weight, "ArrowLeft") as number;
  expect(weight).toBe(1);
});
