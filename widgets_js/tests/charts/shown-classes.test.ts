// @vitest-environment node
import { expect, test } from "vitest";
import { axisScale, extentOf } from "../../src/class-table/axis-scale.ts";
import { shownClasses } from "../../src/class-table/shown-classes.ts";

const view = { sort: "raw", search: "", all: false } as const;

function bars(count: number, named: number[] = []) {
  const classes = Array.from({ length: count }, (_, i) => i);
  return {
    names: classes.map((c) => `class ${c}`),
    classes,
    raw: classes.map((c) => 1000 - c),
    expected: classes.map((c) => (c === 70 ? 4000 : 1000 - c)),
    named: new Set(named),
  };
}

test("thirty classes all have a bar", () => {
  expect(shownClasses(bars(30), view)).toMatchObject({ hidden: 0 });
});

test("of more, those named, the commonest and the 20 most moved; ties go to the commonest", () => {
  const { classes, hidden } = shownClasses(bars(100, [90]), view);
  expect(classes).toEqual([...Array.from({ length: 19 }, (_, i) => i), 70, 90]);
  expect(hidden).toBe(79);
});

test("what all classes share is no move: the dilution", () => {
  const diluted = bars(100);
  const expected = diluted.raw.map((n, c) => (c === 60 ? n : c >= 80 ? 0.9 * n : 0.5 * n));
  const { classes } = shownClasses({ ...diluted, expected }, view);
  expect(classes).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 60, ...Array.from({ length: 19 }, (_, i) => 80 + i)]);
});

test("of eighty named classes the 30 most moved have a bar, beside the 20 others", () => {
  expect(
    shownClasses(
      bars(
        100,
        Array.from({ length: 80 }, (_, i) => i),
      ),
      view,
    ).classes,
  ).toHaveLength(50);
});

test("all on demand", () => {
  expect(shownClasses(bars(100), { ...view, all: true }).classes).toHaveLength(100);
});

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

test("the extent is of the shown classes only", () => {
  expect(extentOf([0, 2], [5, 900, 7], [0, 1, 0.5])).toEqual({ highest: 7, lowest: 0.5 });
  expect(extentOf([], [1])).toEqual({ highest: 1, lowest: 1 });
});
