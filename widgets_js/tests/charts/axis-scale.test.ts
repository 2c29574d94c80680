// @vitest-environment node
import { expect, test } from "vitest";
import { axisScale, extentOf, markText } from "../../src/class-table/axis-scale.ts";

test("a linear axis has its marks inside, with room for their text", () => {
  for (const width of [120, 240, 520]) {
    const scale = axisScale({ highest: 412, lowest: 12 }, width, false);
    const places = scale.ticks.map((tick) => scale(tick));
    expect(places.every((x) => x >= 0 && x <= width + 0.5)).toBe(true);
    expect(places.slice(1).every((x, i) => x - (places[i] ?? 0) >= 30)).toBe(true);
  }
});

test("a logarithmic axis marks powers of ten and puts nothing at its edge", () => {
  const scale = axisScale({ highest: 50_000, lowest: 3 }, 240, true);
  expect(scale.ticks.every((tick) => Number.isInteger(Math.log10(tick)))).toBe(true);
  expect(scale(0)).toBe(0);
  expect(scale(50_000)).toBeCloseTo(240, 9);
});

test("the extent is of all figures above 0", () => {
  expect(extentOf([5, 0, 7], [0, 1, 0.5])).toEqual({ highest: 7, lowest: 0.5 });
  expect(extentOf([], [0])).toEqual({ highest: 1, lowest: 1 });
});

test.each([
  [0, "0"],
  [200, "200"],
  [1000, "1k"],
  [2500, "2.5k"],
  [10_000, "10k"],
  [1_000_000, "1M"],
])("a mark of %d is %s", (value, text) => {
  expect(markText(value)).toBe(text);
});
