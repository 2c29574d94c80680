// @vitest-environment node
import { describe, expect, it } from "vitest";
import {
  followScroll,
  GAP,
  gridShape,
  MAX_SCROLL_HEIGHT,
  moveBy,
  reveal,
  type Scroll,
  scrollFor,
  thumbnailSize,
  visibleRange,
} from "../src/grid/geometry.ts";

const MILLION = gridShape(494, 1_000_000, 114);
const VIEWPORT = 300;

describe("gridShape", () => {
  it("fills the width with whole cells and gaps", () => {
    const shape = gridShape(494, 10, 114);
    expect(shape.columns).toBe(4);
    expect(shape.columns * shape.cell + (shape.columns - 1) * GAP).toBeCloseTo(494, 10);
    expect(shape.rows).toBe(3);
    expect(shape.total).toBeCloseTo(3 * shape.cell + 2 * GAP, 10);
    expect(shape.height).toBe(shape.total);
  });

  it("caps the spacer of a million samples", () => {
    expect(MILLION.rows).toBe(250_000);
    expect(MILLION.total).toBeGreaterThan(30_000_000);
    expect(MILLION.height).toBe(MAX_SCROLL_HEIGHT);
  });

  it.each([0, 1])("has room for at least one column at width %i", (width) => {
    expect(gridShape(width, 3, 114).columns).toBe(1);
  });
});

describe("scrolling a capped grid", () => {
  const end = MILLION.height - VIEWPORT;
  const topOf = ({ scrollTop, offset }: Scroll): number => scrollTop + offset;

  it("reaches the first row at the top and the last row at the bottom", () => {
    const start: Scroll = { scrollTop: 0, offset: 0 };
    expect(topOf(followScroll(MILLION, VIEWPORT, start, 0))).toBe(0);
    const bottom = topOf(followScroll(MILLION, VIEWPORT, start, end));
    expect(bottom).toBeCloseTo(MILLION.total - VIEWPORT, 0);
  });

  it("moves pixel by pixel for the wheel", () => {
    let scroll: Scroll = scrollFor(MILLION, VIEWPORT, 5_000_000);
    const from = topOf(scroll);
    for (let i = 0; i < 50; i++) scroll = followScroll(MILLION, VIEWPORT, scroll, scroll.scrollTop + 40);
    expect(topOf(scroll) - from).toBeCloseTo(2000, 0);
  });

  it("jumps in proportion when the bar is dragged", () => {
    const half = followScroll(MILLION, VIEWPORT, { scrollTop: 0, offset: 0 }, end / 2);
    expect(topOf(half) / (MILLION.total - VIEWPORT)).toBeCloseTo(0.5, 4);
  });

  it("never strays from the range however long the wheel turns", () => {
    let scroll: Scroll = { scrollTop: 0, offset: 0 };
    for (let i = 0; i < 40_000; i++)
      scroll = followScroll(MILLION, VIEWPORT, scroll, Math.min(end, scroll.scrollTop + 250));
    expect(topOf(scroll)).toBeGreaterThan(9_900_000);
    expect(scroll.scrollTop).toBeLessThanOrEqual(end);
    expect(topOf(scroll)).toBeLessThanOrEqual(MILLION.total - VIEWPORT + 1);
  });

  it.each([0, 1, 123_456, 999_999])("brings position %i into view", (position) => {
    const scroll = scrollFor(MILLION, VIEWPORT, reveal(MILLION, position, 0, VIEWPORT));
    const [start, stop] = visibleRange(MILLION, 1_000_000, topOf(scroll), VIEWPORT, 0);
    expect(start).toBeLessThanOrEqual(position);
    expect(stop).toBeGreaterThan(position);
  });
});

describe("visibleRange", () => {
  it("covers the rows in view and one more on both sides", () => {
    const shape = gridShape(494, 100, 114);
    expect(visibleRange(shape, 100, 3 * shape.pitch, 2 * shape.pitch)).toEqual([8, 24]);
  });

  it("ends with the last sample", () => {
    const shape = gridShape(494, 10, 114);
    expect(visibleRange(shape, 10, 0, 10_000)).toEqual([0, 10]);
  });
});

describe("moveBy", () => {
  it.each([
    ["ArrowRight", 3, 4],
    ["ArrowLeft", 0, 0],
    ["ArrowDown", 2, 6],
    ["ArrowUp", 6, 2],
    ["ArrowUp", 2, 2],
    ["ArrowDown", 7, 9],
    ["ArrowDown", 9, 9],
    ["PageDown", 1, 9],
    ["Home", 7, 0],
    ["End", 2, 9],
  ])("%s from %i goes to %i", (key, from, to) => expect(moveBy(key, from, 10, 4, 3)).toBe(to));

  it("leaves other keys to others", () => expect(moveBy("b", 3, 10, 4, 3)).toBeNull());
});

it("asks for few sizes of thumbnails", () => {
  expect([60, 114, 128, 129, 300].map((cell) => thumbnailSize(cell, 1))).toEqual([128, 192, 192, 256, 512]);
  expect(thumbnailSize(114, 2)).toBe(384);
});
