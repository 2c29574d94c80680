// @vitest-environment node
import { describe, expect, it } from "vitest";
import {
  type Box,
  boxAt,
  boxBetween,
  dragBox,
  fitView,
  keyBox,
  namedBoxes,
  panBy,
  visibleRegion,
  zoomAt,
} from "../src/session/box-geometry.ts";

const IMAGE = { width: 400, height: 200 };
const BOX: Box = { x: 10, y: 20, width: 100, height: 50, label: 3 };

describe("boxes", () => {
  it("move inside the image only", () => {
    expect(dragBox(BOX, "move", 5, 5, IMAGE)).toMatchObject({ x: 15, y: 25, width: 100, height: 50, label: 3 });
    expect(dragBox(BOX, "move", 1000, -1000, IMAGE)).toMatchObject({ x: 300, y: 0 });
  });

  it.each([
    ["e", { width: 110 }],
    ["w", { x: 20, width: 90 }],
    ["n", { y: 30, height: 40 }],
    ["s", { height: 60 }],
    ["se", { width: 110, height: 60 }],
    ["nw", { x: 20, y: 30, width: 90, height: 40 }],
  ] as const)("are resized at %s", (handle, changed) => {
    expect(dragBox(BOX, handle, 10, 10, IMAGE)).toEqual({ ...BOX, ...changed });
  });

  it("never turn over", () => {
    expect(dragBox(BOX, "e", -500, 0, IMAGE).width).toBe(1);
    expect(dragBox(BOX, "n", 0, 500, IMAGE)).toMatchObject({ y: 69, height: 1 });
  });

  it("are drawn from any corner and cut to the image", () => {
    expect(boxBetween(50, 60, -20, 10, IMAGE, 1)).toEqual({ x: 0, y: 10, width: 50, height: 50, label: 1 });
    expect(boxBetween(50, 60, 51, 61, IMAGE, 1)).toBeNull();
  });

  it("follow the keys of jupyter-bbox-widget", () => {
    expect(keyBox("d", BOX, 2, IMAGE)?.x).toBe(12);
    expect(keyBox("W", BOX, 1, IMAGE)?.y).toBe(19);
    expect(keyBox("e", BOX, 1, IMAGE)?.width).toBe(101);
    expect(keyBox("f", BOX, 1, IMAGE)?.height).toBe(49);
    expect(keyBox("x", BOX, 1, IMAGE)).toBeNull();
  });

  it("inside others are reached: the smallest is taken", () => {
    const inner: Box = { x: 40, y: 30, width: 10, height: 10, label: 0 };
    expect(boxAt([inner, BOX], 45, 35, 0)).toBe(0);
    expect(boxAt([BOX, inner], 12, 22, 0)).toBe(0);
    expect(boxAt([BOX], 300, 100, 0)).toBeNull();
  });
});

describe("view", () => {
  const stage = { width: 200, height: 200 };

  it("fits and centers the image", () => expect(fitView(stage, IMAGE)).toEqual({ zoom: 0.5, x: 0, y: -100 }));

  it("keeps the point under the pointer when it zooms", () => {
    const before = zoomAt(fitView(stage, IMAGE), 4, 100, 100, stage, IMAGE);
    const after = zoomAt(before, 1.7, 130, 80, stage, IMAGE);
    expect(after.x + 130 / after.zoom).toBeCloseTo(before.x + 130 / before.zoom, 9);
    expect(after.y + 80 / after.zoom).toBeCloseTo(before.y + 80 / before.zoom, 9);
  });

  it("never shrinks below the fit nor leaves the image", () => {
    const fit = fitView(stage, IMAGE);
    expect(zoomAt(fit, 0.1, 0, 0, stage, IMAGE)).toEqual(fit);
    const near = zoomAt(fit, 4, 100, 100, stage, IMAGE);
    expect(panBy(near, 1e6, 1e6, stage, IMAGE)).toMatchObject({ x: 0, y: 0 });
    expect(panBy(near, -1e6, 0, stage, IMAGE).x).toBe(400 - 200 / near.zoom);
  });

  it("asks for no more than 4 megapixels", () => {
    const huge = { width: 20_000, height: 20_000 };
    const region = visibleRegion({ zoom: 1, x: 0, y: 0 }, { width: 3000, height: 3000 }, huge);
    expect(region.width * region.scale * region.height * region.scale).toBeLessThanOrEqual(4e6 + 1);
    expect(visibleRegion({ zoom: 4, x: 10.5, y: 0 }, stage, IMAGE)).toEqual({
      x: 10,
      y: 0,
      width: 51,
      height: 50,
      scale: 1,
    });
  });
});

describe("names of boxes", () => {
  const at = (x: number, y: number, side: number, name: string | null = "person") => ({
    x,
    y,
    width: side,
    height: side,
    name,
  });

  it("stand on big boxes only, and on the chosen one", () => {
    expect([...namedBoxes([at(0, 50, 60), at(200, 50, 20)], null, 48)]).toEqual([0]);
    expect([...namedBoxes([at(0, 50, 60), at(200, 50, 20)], 1, 48)].sort()).toEqual([0, 1]);
  });

  it("never lie over each other: the chosen box first, then the biggest", () => {
    const close = [at(10, 50, 60), at(20, 52, 90)];
    expect([...namedBoxes(close, null, 48)]).toEqual([1]);
    expect([...namedBoxes(close, 0, 48)]).toEqual([0]);
  });

  it("are left out where a box has none", () => expect(namedBoxes([at(0, 50, 60, null)], 0, 48).size).toBe(0));
});
