// Arithmetic of the table and of profiles.
import { describe, expect, it } from "vitest";
import type { ColumnInfo, ColumnProfile } from "../../src/session/protocol.ts";
import { barsOf, moveCursor } from "../../src/table/bar-keys.ts";
import { barAt, barPlaces, barText, CHART_HEIGHT, selectable, summary } from "../../src/table/profile-layout.ts";
import { COLUMNS, partsOf, ROWS } from "../../src/table/row-cache.ts";
import { columnPlaces, moveRow, revealColumn, rowShape, visibleColumns } from "../../src/table/table-geometry.ts";

type Bar = ColumnProfile["bars"][number];

const bar = (label: string, raw: number, pool = raw, special: Bar["special"] = null): Bar => ({
  label,
  raw,
  pool,
  special,
});

function profile(bars: Bar[], more: Partial<ColumnProfile> = {}): ColumnProfile {
  return {
    name: "age",
    kind: "number",
    bars,
    other: { raw: 0, pool: 0 },
    selectable: bars.map(() => true),
    selected: null,
    low: "0",
    high: "9",
    distinct: null,
    facts: [],
    num_raw: 100,
    num_pool: 100,
    ...more,
  };
}

const ages = profile([bar("0 – 4", 10), bar("5 – 9", 20, 5), bar("missing", 2, 2, "missing")]);
const views = profile([bar("PA", 60), bar("AP", 30, 10), bar("LL", 10, 0)], { kind: "category", distinct: 3 });
const columns = (number: number): ColumnInfo[] =>
  Array.from({ length: number }, (_, i) => ({ name: `c${i}`, htype: "generic", shown: "generic", numeric: true }));

describe("bars of a profile", () => {
  it("are as high as they are frequent, the pool inside", () => {
    const places = barPlaces(ages, 100);
    expect(places.map(({ raw }) => Math.round(raw))).toEqual([CHART_HEIGHT / 2, CHART_HEIGHT, 4]);
    expect(places[1]?.pool).toBe(CHART_HEIGHT / 4);
  });

  it("have special ones at the right end, after a gap", () => {
    const [, last, missing] = barPlaces(ages, 100);
    expect(missing?.special).toBe(true);
    expect((missing?.x ?? 0) + (missing?.width ?? 0)).toBeLessThanOrEqual(100);
    expect(missing?.x).toBeGreaterThan((last?.x ?? 0) + (last?.width ?? 0) + 3);
  });

  it("are segments as wide as they are frequent for values", () => {
    const places = barPlaces(views, 206);
    expect(places.map(({ width }) => width + 1)).toEqual([122, 62, 22]);
    expect(places[2]?.pool).toBe(0);
  });

  it.each([
    [0, 0],
    [121, 0],
    [124, 1],
    [205, 2],
    [400, null],
  ])("are found under a pointer at %i", (x, found) => {
    expect(barAt(barPlaces(views, 206), x)).toBe(found);
  });

  it("never vanish where they count something", () => {
    const places = barPlaces(profile([bar("a", 1_000_000), bar("b", 1)]), 100);
    expect(places[1]?.raw).toBeGreaterThan(1);
  });

  it("stay inside of their column, however many there are", () => {
    const many = profile(
      Array.from({ length: 24 }, (_, i) => bar(`v${i}`, i + 1)),
      { kind: "category" },
    );
    const last = barPlaces(many, 106).at(-1);
    expect((last?.x ?? 0) + (last?.width ?? 0)).toBeLessThanOrEqual(106);
  });
});

describe("words of a profile", () => {
  it("count the pool among all", () => {
    expect(barText(ages, 0)).toBe("0 – 4: 10");
    expect(barText(ages, 0, 1)).toBe("0 – 9: 15 of 30");
  });

  it("name what is missing and how many values there are", () => {
    expect(summary(ages)).toEqual({ low: "0", high: "9", note: "2% missing", warned: true });
    expect(summary(views)).toEqual({ low: "3 values", high: "", note: "", warned: false });
  });
});

describe("bars that are selected", () => {
  it("do not run into missing values", () => {
    expect(selectable(ages, 0, 2)).toEqual([0, 1]);
    expect(selectable(ages, 2, 0)).toEqual([2, 2]);
  });

  it("are only those that a query can select", () => {
    expect(selectable({ ...ages, selectable: [true, false, true] }, 0, 1)).toEqual([0, 0]);
    expect(selectable({ ...ages, selectable: [false, true, true] }, 0, 1)).toBeNull();
  });

  it("are walked by arrows and widened with Shift", () => {
    let cursor = moveCursor(ages, null, "ArrowRight", false);
    expect(cursor && barsOf(cursor)).toEqual([0, 0]);
    cursor = moveCursor(ages, cursor, "ArrowRight", true);
    expect(cursor && barsOf(cursor)).toEqual([0, 1]);
    cursor = moveCursor(ages, cursor, "ArrowRight", true);
    expect(cursor && barsOf(cursor)).toEqual([0, 1]);
    expect(moveCursor(ages, cursor, "End", false)).toEqual({ anchor: 2, at: 2 });
    expect(moveCursor(ages, cursor, "Tab", false)).toBeNull();
  });
});

describe("the table's geometry", () => {
  it("caps the height of a million rows", () => {
    expect(rowShape(1_000_000)).toMatchObject({ total: 28_000_000, height: 8_000_000, rows: 1_000_000 });
  });

  it("shows only the columns in view", () => {
    const places = columnPlaces(columns(200), 1000, 600);
    const [start, stop] = visibleColumns(places, 1300, 600);
    expect(start).toBe(10);
    expect(places.lefts[stop - 1]).toBeLessThan(1300 + 600 - places.head);
    expect(stop - start).toBeLessThan(7);
    expect(visibleColumns(places, 0, 0)).toEqual([0, 0]);
  });

  it.each([
    ["fills the width with a few columns", 1220, 1220 - 48],
    ["leaves no column wider than can be read", 5000, 2 * 640],
  ])("%s", (_, width, total) => {
    const places = columnPlaces(columns(2), 10, width);
    expect(places.total).toBe(total);
    expect(places.head).toBe(48);
  });

  it("brings a column into view with the least movement", () => {
    const places = columnPlaces(columns(20), 10, 400);
    expect(revealColumn(places, 1, 0, 400)).toBe(0);
    expect(revealColumn(places, 5, 0, 400)).toBe((places.lefts[6] ?? 0) - (400 - places.head));
    expect(revealColumn(places, 0, 500, 400)).toBe(0);
  });

  it("has room for the longest row number", () => {
    expect(columnPlaces([], 10_000_000, 400).head).toBeGreaterThan(columnPlaces([], 10, 400).head);
  });

  it.each([
    ["ArrowDown", 6],
    ["ArrowUp", 4],
    ["PageDown", 9],
    ["Home", 0],
    ["End", 9],
    ["a", null],
  ])("moves rows by %s", (key, row) => {
    expect(moveRow(key, 5, 10, 8)).toBe(row);
  });

  it("asks for the parts in view", () => {
    expect(partsOf([ROWS - 1, ROWS + 1], [0, COLUMNS + 1])).toEqual([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]);
    expect(partsOf([0, 0], [0, 3])).toEqual([]);
  });
});
