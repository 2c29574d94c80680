// @vitest-environment node
import { describe, expect, it } from "vitest";
import {
  chips,
  describeChange,
  fromBoxes,
  isPaired,
  searchClasses,
  withClass,
  withOther,
  withoutBox,
  withoutClass,
} from "../src/session/labels.ts";

const NAMES = ["Circle", "Square", "Star", "<img src=x>"];
const PAIRED = { labels: [0, 2, 0], boxes: [1, 1, 5, 5, 2, 2, 6, 6, 3, 3, 7, 7] };
const IMAGE = { width: 100, height: 60 };

describe("chips", () => {
  it("are one a class with the number of instances", () => {
    expect(chips(PAIRED.labels)).toEqual([
      { label: 0, count: 2 },
      { label: 2, count: 1 },
    ]);
  });

  it("take a class off with its boxes", () => {
    expect(withoutClass(PAIRED, 0, true)).toEqual({ labels: [2], boxes: [2, 2, 6, 6], sources: [1] });
  });

  it("leave boxes alone where they belong to no label", () => {
    const apart = { labels: [0, 1], boxes: [1, 1, 5, 5] };
    expect(withoutClass(apart, 0, true)).toEqual({ labels: [1], boxes: [1, 1, 5, 5], sources: [0] });
    expect(withoutClass({ labels: [0], boxes: [1, 1, 5, 5] }, 0, false)).toEqual({
      labels: [],
      boxes: [1, 1, 5, 5],
      sources: [0],
    });
  });

  it("add a class with a box in the middle where labels are boxes'", () => {
    const added = withClass(PAIRED, 1, IMAGE, true);
    expect(added.labels).toEqual([0, 2, 0, 1]);
    expect(added.boxes.slice(-4)).toEqual([25, 15, 50, 30]);
    expect(added.sources).toEqual([0, 1, 2, -1]);
    expect(isPaired(added, true)).toBe(true);
  });

  it("add a class alone where the dataset has no boxes", () => {
    expect(withClass({ labels: [], boxes: [] }, 1, IMAGE, false)).toEqual({ labels: [1], boxes: [], sources: [-1] });
  });

  it("take their labels from boxes that carry one", () => {
    const boxes = [{ x: 1.234, y: 2, width: 3, height: 4, label: 2 }];
    expect(fromBoxes(boxes, [0], true)).toEqual({ labels: [2], boxes: [1.23, 2, 3, 4], sources: [-1] });
    expect(fromBoxes([{ x: 1, y: 2, width: 3, height: 4, label: null }], [0, 1], true).labels).toEqual([0, 1]);
  });

  it("say of each object left which one it was", () => {
    expect(withoutBox(PAIRED, 1, true)).toEqual({
      labels: [0, 0],
      boxes: [1, 1, 5, 5, 3, 3, 7, 7],
      sources: [0, 2],
    });
    expect(withOther(PAIRED, 2, 1, true)).toEqual({ labels: [0, 2, 1], boxes: PAIRED.boxes, sources: [0, 1, 2] });
    const moved = { x: 9, y: 9, width: 3, height: 4, label: 2, source: 2 };
    expect(fromBoxes([moved, { ...moved, source: 0 }], [], true).sources).toEqual([2, 0]);
  });
});

describe("describeChange", () => {
  it.each([
    [[0, 1], [0, 2], "Square → Star"],
    [[0], [0, 2], "+ Star"],
    [[0, 2], [0], "− Star"],
    [[0], [0], ""],
    [[0, 0], [0, 3], "Circle → <img src=x>"],
  ])("%j to %j is %j", (before, after, words) => {
    expect(describeChange({ labels: before, boxes: [] }, { labels: after, boxes: [] }, NAMES)).toBe(words);
  });

  it("tells objects apart where one was deleted and another drawn", () => {
    const outline = { polygons: [[0, 0, 10, 0, 10, 10]], outlines: [], points: null };
    const wide = { polygons: [[40, 0, 90, 0, 90, 10, 40, 10]], outlines: [], points: null };
    const before = {
      labels: [0, 1],
      boxes: [0, 0, 10, 10, 40, 0, 50, 10],
      drawn: {
        masks: [],
        objects: new Map([
          [0, outline],
          [1, wide],
        ]),
      },
    };
    const drawn = { masks: [], objects: new Map([[0, wide]]) };
    const redrawn = { labels: [1, 0], boxes: [40, 0, 50, 10, 200, 200, 30, 30], drawn };
    expect(describeChange(before, redrawn, NAMES)).toBe("+ Circle, − Circle");
    expect(describeChange(before, { ...redrawn, labels: [2, 0] }, NAMES)).toBe("Square → Star, + Circle, − Circle");
    const copied = { labels: [0, 1, 1], boxes: [...before.boxes, 50, 10, 50, 10], drawn: before.drawn };
    expect(describeChange(before, copied, NAMES)).toBe("+ Square");
    const widened = { ...before, boxes: [0, 0, 10, 10, 42, 0, 50, 10] };
    expect(describeChange(before, widened, NAMES)).toBe("box moved");
  });

  it("tells of moved boxes", () => {
    const moved = { ...PAIRED, boxes: [9, ...PAIRED.boxes.slice(1)] };
    expect(describeChange(PAIRED, moved, NAMES)).toBe("box moved");
  });
});

describe("searchClasses", () => {
  it("puts names that begin with the words first", () => {
    expect(searchClasses(["stop sign", "bus", "busy bus stop"], "bus", 10)).toEqual([1, 2]);
    expect(searchClasses(["a stop", "stop sign"], "stop", 10)).toEqual([1, 0]);
  });

  it("shows all for nothing typed, up to the limit", () => expect(searchClasses(NAMES, " ", 2)).toEqual([0, 1]));
});
