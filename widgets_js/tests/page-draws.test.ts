// @vitest-environment node
// Draws of the loader that a page without a kernel keeps.
import { describe, expect, it } from "vitest";
import { isKept, type KeptDraws, keptBatches, keptEpochs } from "../src/runtime/page/draws.ts";
import type { LabelColumn } from "../src/runtime/page/label-rows.ts";

const KEPT: KeptDraws = {
  epochs: { unique: [3, 4, 4], counts: [1, 2] },
  first: [1, 0, 1, 2, 0],
  weights: [20, 1],
  mode: "iid",
  seed: 7,
};
// labels of the samples at places 0 to 3; the pool is 3, 0, 2
const LABELS: LabelColumn = {
  name: "labels",
  classNames: ["a", "b"],
  single: false,
  offsets: Int32Array.from([0, 1, 1, 3, 4]),
  values: Int32Array.from([0, 1, 1, 0]),
};
const POOL = Int32Array.from([3, 0, 2]);
const of = (draws: number) => ({ pool: POOL, draws, labels: LABELS, numClasses: 2 });

describe("the draws that a page keeps", () => {
  it.each([
    ["the same weights", { weights: [20, 1], mode: "iid", seed: 7 }, true, true],
    ["another weight", { weights: [20, 2], mode: "iid", seed: 7 }, true, false],
    ["another mode", { weights: [20, 1], mode: "deck", seed: 7 }, true, false],
    ["another seed", { weights: [20, 1], mode: "iid", seed: 8 }, true, false],
    ["no SAMPLE BY", { weights: [1], mode: "once", seed: 7 }, false, true],
  ] as const)("are those of %s", (_, asked, hasSampling, kept) => {
    expect(isKept(KEPT, { ...asked, weights: [...asked.weights] }, hasSampling)).toBe(kept);
  });

  it("have as many epochs as are asked for", () => {
    expect(keptEpochs(KEPT, 2)).toEqual({ unique: [3, 4], counts: [1, 2] });
  });

  it.each([
    [
      "whole ones",
      2,
      5,
      [
        [2, 0],
        [1, 2],
        [1, 0],
      ],
    ],
    [
      "the last one shorter",
      3,
      4,
      [
        [3, 0],
        [0, 2],
      ],
    ],
    [
      "only those that were kept",
      2,
      9,
      [
        [2, 0],
        [1, 2],
      ],
    ],
    ["none, where the first is too large", 6, 9, null],
  ])("count batches: %s", (_, size, draws, counts) => {
    const found = keptBatches(KEPT, { batch_size: size, num_batches: 12 }, of(draws));
    expect(found?.counts ?? null).toEqual(counts);
  });
});
