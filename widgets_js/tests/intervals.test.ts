// @vitest-environment node
import { describe, expect, it } from "vitest";
import { add, has, type Intervals, rank, remove, size, step, toggle } from "../src/session/intervals.ts";

const TWO: Intervals = [
  [2, 5],
  [8, 10],
];

describe("intervals", () => {
  it("join what touches", () => {
    expect(add(TWO, 5, 8)).toEqual([[2, 10]]);
    expect(add(TWO, 0, 1)).toEqual([[0, 1], ...TWO]);
    expect(add(TWO, 4, 20)).toEqual([[2, 20]]);
    expect(add(TWO, 3, 3)).toEqual(TWO);
  });

  it("split where something is taken out", () => {
    expect(remove(TWO, 3, 4)).toEqual([
      [2, 3],
      [4, 5],
      [8, 10],
    ]);
    expect(remove(TWO, 0, 100)).toEqual([]);
    expect(remove(TWO, 4, 9)).toEqual([
      [2, 4],
      [9, 10],
    ]);
  });

  it("toggle single positions", () => {
    expect(toggle(TWO, 5)).toEqual([
      [2, 6],
      [8, 10],
    ]);
    expect(toggle(toggle(TWO, 3), 3)).toEqual(TWO);
  });

  it("know size, membership and rank", () => {
    expect(size(TWO)).toBe(5);
    expect([1, 2, 4, 5, 9].map((position) => has(TWO, position))).toEqual([false, true, true, false, true]);
    expect([2, 4, 8, 9].map((position) => rank(TWO, position))).toEqual([0, 2, 3, 4]);
  });

  it("step over the holes and stop at the ends", () => {
    expect(step(TWO, 4, 1)).toBe(8);
    expect(step(TWO, 8, -1)).toBe(4);
    expect(step(TWO, 9, 1)).toBeNull();
    expect(step(TWO, 2, -1)).toBeNull();
  });

  it("hold a million positions in one pair", () => expect(add([], 0, 1_000_000)).toHaveLength(1));
});
