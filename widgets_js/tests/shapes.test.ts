// @vitest-environment node
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { chosenBoxes } from "../src/grid/draw-overlay.ts";
import { dragBox, withShape } from "../src/session/box-geometry.ts";
import { describeChange, fromBoxes } from "../src/session/labels.ts";
import {
  edgeAt,
  enclosing,
  movedShape,
  nextPart,
  type ObjectShape,
  pointPlace,
  pointsOf,
  readShapes,
  ringPath,
  withoutVertex,
  withPointAt,
  withVertexAfter,
  withVisibilityStepped,
} from "../src/session/shapes.ts";

const GOLDEN = JSON.parse(
  readFileSync(join(import.meta.dirname, "..", "..", "tests", "golden", "shapes.json"), "utf8"),
);
const SQUARE = [10, 10, 20, 10, 20, 20, 10, 20];
const SHAPE: ObjectShape = { polygons: [SQUARE], outlines: [], points: [5, 6, 2, 0, 0, 0] };

describe("what the kernel packs", () => {
  it.each(GOLDEN as { name: string; numbers: number[]; objects: Record<string, ObjectShape> }[])(
    "is read as it was meant: $name",
    ({ numbers, objects }) => {
      const { objects: found } = readShapes(new DataView(Float64Array.from(numbers).buffer), numbers[0] ?? 0, true);
      expect(Object.fromEntries(found)).toEqual(objects);
    },
  );

  it("is in pixels of the image, whatever the steps of the grid", () => {
    const packed = Int16Array.from([192, 0, 0, -1, 3, 0, 0, 96, 0, 96, 48, 1, 0, -1, 1, 10, 20, 2]);
    const { objects } = readShapes(new DataView(packed.buffer), 640, false);
    expect(objects.get(0)).toEqual({
      polygons: [[0, 0, 320, 0, 320, 160]],
      outlines: [],
      points: [10 / 0.3, 20 / 0.3, 2].map((value) => expect.closeTo(value, 9)),
    });
  });

  it("keeps rings of a mask together by class", () => {
    const packed = Int16Array.from([10, 3, -1, 4, 1, 1, 1, 3, -1, 4, 1, 2, 2, 3, -1, -1, 1, 3, 3]);
    const { masks } = readShapes(new DataView(packed.buffer), 10, false);
    expect(masks).toEqual([
      {
        label: 4,
        rings: [
          [1, 1],
          [2, 2],
        ],
      },
      { label: null, rings: [[3, 3]] },
    ]);
  });

  it("may be missing or cut off", () => {
    expect(readShapes(undefined, 10, true).objects.size).toBe(0);
    expect(readShapes(new DataView(new ArrayBuffer(13)), 10, true).objects.size).toBe(0);
  });
});

describe("a polygon", () => {
  it("has one vertex moved", () => {
    expect(withPointAt(SHAPE, { ring: 0, at: 1 }, { x: 25.123, y: 8 }).polygons).toEqual([
      [10, 10, 25.12, 8, 20, 20, 10, 20],
    ]);
  });

  it("moves both ends where it is closed by its first vertex", () => {
    const closed = { ...SHAPE, polygons: [[...SQUARE, 10, 10]] };
    const moved = [[1, 2, 20, 10, 20, 20, 10, 20, 1, 2]];
    for (const at of [0, 4]) expect(withPointAt(closed, { ring: 0, at }, { x: 1, y: 2 }).polygons).toEqual(moved);
  });

  it("gets a vertex in the middle of an edge, of the last one too", () => {
    expect(withVertexAfter(SHAPE, 0, 0).polygons[0]).toEqual([10, 10, 15, 10, 20, 10, 20, 20, 10, 20]);
    expect(withVertexAfter(SHAPE, 0, 3).polygons[0]).toEqual([...SQUARE, 10, 15]);
    expect(withVertexAfter(SHAPE, 0, 0, { x: 12, y: 9 }).polygons[0]?.slice(2, 4)).toEqual([12, 9]);
  });

  it("loses vertices down to three", () => {
    const three = withoutVertex(SHAPE, 0, 2) as ObjectShape;
    expect(three.polygons).toEqual([[10, 10, 20, 10, 10, 20]]);
    expect(withoutVertex(three, 0, 0)).toBeNull();
  });

  it("has its box around it", () => {
    expect(enclosing([SQUARE, [0, 15, 5, 15, 5, 40]])).toEqual({ x: 0, y: 10, width: 20, height: 30 });
    const box = { x: 10, y: 10, width: 10, height: 10, label: 0, shape: SHAPE };
    const next = withPointAt(SHAPE, { ring: 0, at: 1 }, { x: 30, y: 4 });
    expect(withShape(box, next)).toMatchObject({ x: 10, y: 4, width: 20, height: 16, label: 0 });
  });

  it("moves with its box, as far as the image goes", () => {
    const box = { x: 10, y: 10, width: 10, height: 10, label: 0, shape: SHAPE };
    const moved = dragBox(box, "move", 100, -3, { width: 50, height: 50 });
    expect(moved).toMatchObject({ x: 40, y: 7 });
    expect(moved.shape?.polygons).toEqual([[40, 7, 50, 7, 50, 17, 40, 17]]);
    expect(moved.shape?.points).toEqual([35, 3, 2, 0, 0, 0]); // what is not labeled stays
  });

  it.each([
    [
      { x: 15, y: 12 },
      { ring: 0, at: 0, place: { x: 15, y: 10 } },
    ],
    [
      { x: 9, y: 14 },
      { ring: 0, at: 3, place: { x: 10, y: 14 } },
    ],
    [{ x: 15, y: 15 }, null],
  ])("has the edge next to %j", (place, edge) => expect(edgeAt([SQUARE], place, 3)).toEqual(edge));

  it("is a closed path", () => {
    expect(ringPath([SQUARE.slice(0, 6)], (x, y) => `${x} ${y}`)).toBe("M10 10L20 10L20 20Z");
  });
});

describe("keypoints", () => {
  it("step from visible to hidden to not labeled, and around", () => {
    const seen = [0, 1, 2].map((times) => {
      let shape = SHAPE;
      for (let i = 0; i <= times; i++) shape = withVisibilityStepped(shape, 0, { x: 1, y: 1 });
      return shape.points?.slice(0, 3);
    });
    expect(seen).toEqual([
      [5, 6, 1],
      [5, 6, 0],
      [5, 6, 2],
    ]);
  });

  it("get a place with their first visibility", () => {
    expect(withVisibilityStepped(SHAPE, 1, { x: 15, y: 16 }).points?.slice(3)).toEqual([15, 16, 2]);
  });

  it("are the part after the last polygon, and the first polygon comes after them", () => {
    const shape = {
      polygons: [
        [0, 0, 1, 0, 1, 1],
        [5, 5, 6, 5, 6, 6, 5, 6],
      ],
      outlines: [],
      points: [1, 2, 2, 3, 4, 1],
    };
    expect(nextPart(shape, { ring: 0, at: 2 })).toEqual({ ring: 1, at: 0 });
    expect(nextPart(shape, { ring: 1, at: 3 })).toEqual({ keypoint: 0 });
    expect(nextPart(shape, { keypoint: 1 })).toEqual({ ring: 0, at: 0 });
    expect(nextPart({ ...shape, polygons: [], points: [1, 2, 2] }, { keypoint: 0 })).toEqual({ keypoint: 0 });
  });

  it("are walked after the vertices", () => {
    expect(pointsOf(SHAPE).at(4)).toEqual({ keypoint: 0 });
    expect(pointsOf(SHAPE)).toHaveLength(6);
    expect(pointPlace(SHAPE, { keypoint: 0 })).toEqual({ x: 5, y: 6 });
    expect(pointPlace(SHAPE, { ring: 2, at: 0 })).toBeNull();
  });
});

describe("what is sent", () => {
  const drawn = { objects: new Map([[0, SHAPE]]), masks: [] };
  const box = { x: 10, y: 10, width: 10, height: 10, label: 0, source: 0, shape: SHAPE };

  it("has no shape that was not edited", () => {
    expect(fromBoxes([box], [0], true, drawn)).toEqual({ labels: [0], boxes: [10, 10, 10, 10], sources: [0] });
  });

  it("has the polygons or the keypoints that were edited", () => {
    const polygon = withPointAt(SHAPE, { ring: 0, at: 0 }, { x: 1, y: 1 });
    const keypoint = withPointAt(SHAPE, { keypoint: 0 }, { x: 1, y: 1 });
    expect(fromBoxes([{ ...box, shape: polygon }], [0], true, drawn).shapes).toEqual([
      { object: 0, polygons: polygon.polygons },
    ]);
    expect(fromBoxes([{ ...box, shape: keypoint }], [0], true, drawn).shapes).toEqual([
      { object: 0, keypoints: [1, 1, 2, 0, 0, 0] },
    ]);
  });

  it("has all of a copy", () => {
    const { source: _, ...copy } = { ...box, shape: movedShape(SHAPE, 1, 1) };
    expect(fromBoxes([box, copy], [0, 0], true, drawn).shapes).toEqual([
      { object: 1, polygons: copy.shape.polygons, keypoints: copy.shape.points },
    ]);
  });
});

describe("what changed, in words", () => {
  const sample = (shape: ObjectShape, boxes = [10, 10, 10, 10]) => ({
    labels: [0],
    boxes,
    drawn: { objects: new Map([[0, shape]]), masks: [] },
  });
  const moved = movedShape(SHAPE, 3, 4);

  it.each([
    ["vertex moved", withPointAt(SHAPE, { ring: 0, at: 0 }, { x: 5, y: 1 }), [5, 1, 15, 19]],
    ["vertex added", withVertexAfter(SHAPE, 0, 0), [10, 10, 10, 10]],
    ["vertex removed", withoutVertex(SHAPE, 0, 0) as ObjectShape, [10, 10, 10, 10]],
    ["keypoint moved", withPointAt(SHAPE, { keypoint: 0 }, { x: 5, y: 1 }), [10, 10, 10, 10]],
    ["visibility of a keypoint changed", withVisibilityStepped(SHAPE, 0, { x: 1, y: 1 }), [10, 10, 10, 10]],
    ["box moved", moved, [13, 14, 10, 10]],
    ["", SHAPE, [10, 10, 10, 10]],
  ])("%j", (words, after, boxes) => expect(describeChange(sample(SHAPE), sample(after, boxes), ["cat"])).toBe(words));
});

describe("boxes of a thumbnail", () => {
  const boxes = Array.from({ length: 12 }, (_, i) => ({ x: 0, y: 0, width: i + 1, height: 1, label: i % 2 }));

  it("are all of few", () => {
    expect(chosenBoxes(boxes.slice(0, 5), new Set()).map(({ index }) => index)).toEqual([0, 1, 2, 3, 4]);
  });

  it("are the eight largest of many", () => {
    expect(chosenBoxes(boxes, new Set()).map(({ index }) => index)).toEqual([11, 10, 9, 8, 7, 6, 5, 4]);
  });

  it("are of the classes that are not hidden", () => {
    expect(chosenBoxes(boxes, new Set([1])).map(({ index }) => index)).toEqual([10, 8, 6, 4, 2, 0]);
  });
});
