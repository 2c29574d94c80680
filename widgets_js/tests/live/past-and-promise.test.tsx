// Histogram and coverage while training runs: the past as drawn, the rest as promised.
import { describe, expect, it } from "vitest";
import { liveState } from "../../dev/live-state.ts";
import { settled } from "../../dev/scripted-kernel.ts";
import { ClassTable } from "../../src/class-table/class-table.tsx";
import { pastOf, withPast } from "../../src/class-table/epoch-under-way.ts";
import { CoverageStrip } from "../../src/coverage/coverage-strip.tsx";
import { seenSoFar, seenText } from "../../src/live/seen-so-far.ts";
import { mounted } from "../charts/mounted.tsx";
import { bar, counts, WEIGHTS } from "../class-table/the-table.ts";

const promised = {
  raw: Float64Array.of(10, 10),
  expected: Float64Array.of(100, 40),
  low: Float64Array.of(80, 30),
  high: Float64Array.of(120, 50),
};
const PROMISE = {
  epochs: [3, 4, 5, 7],
  seen: [400, 440, 460, 500],
  low: [390, 430, 450, 480],
  high: [410, 450, 470, 520],
};

describe("the epoch under way", () => {
  it("adds what is drawn to the rest of the promise, whose band narrows with the root of what is left", () => {
    const live = liveState({ batch: 75, num_batches: 100 });
    const shown = withPast(promised, [70, 45], live);
    expect([...shown.expected]).toEqual([70 + 25, 45 + 10]);
    expect([...shown.high]).toEqual([95 + 10, 55 + 5]);
    expect([...shown.low]).toEqual([85, 50]);
    expect([...promised.expected]).toEqual([100, 40]);
  });

  it("never falls below what is drawn, and is it alone at the end", () => {
    expect(withPast(promised, [99, 45], liveState({ batch: 99, num_batches: 100 })).low[0]).toBe(99);
    const end = withPast(promised, [103, 38], liveState({ batch: 100, num_batches: 100 }));
    for (const key of ["expected", "low", "high"] as const) expect([...end[key]]).toEqual([103, 38]);
  });

  it("is counted in instances, while there is training", () => {
    const drawn = [1, 2];
    expect(pastOf(liveState({ drawn }), "instances")).toBe(drawn);
    expect(pastOf(liveState({ drawn }), "samples")).toBeNull();
    expect(pastOf(liveState({ drawn, state: "ended" }), "instances")).toBeNull();
    expect(pastOf(null, "instances")).toBeNull();
  });

  it("shows in the bars of the table", async () => {
    const shown = await mounted(WEIGHTS, ClassTable);
    const live = liveState({ drawn: [200, 100, 60, 60, 50, 55], batch: 938 });
    shown.model.emit("msg:custom", { v: 1, event: "live", live }, []);
    await settled();
    expect(shown.find(bar("Cross")).dataset.past).toBe("55");
    expect(counts(shown, "Cross")).toBe("12→55");
    expect(shown.find(".penstock-head-text > :last-child").title).toContain("drawn in this epoch");
    shown.model.emit("msg:custom", { v: 1, event: "live", live: null }, []);
    await settled();
    expect(shown.find(bar("Cross")).dataset.past).toBe("");
  });
});

describe("coverage while training runs", () => {
  const live = liveState({ seen: [250, 350], num_seen: 380, promise: PROMISE });

  it("is the past as drawn, now, and the promise from there on", () => {
    const found = seenSoFar(live, "iid");
    expect(found?.epochs.slice(0, 2)).toEqual([1, 2]);
    expect(found?.epochs[2]).toBeCloseTo(2 + 412 / 938, 9);
    expect([...(found?.coverage.unique ?? [])]).toEqual([250, 350, 380, 400, 440, 460, 500]);
    expect([...(found?.coverage.low ?? [])].slice(2, 4)).toEqual([380, 390]);
  });

  it("says what is seen, and what is promised", () => {
    const { headline, sentence } = seenText(live, 600);
    expect(headline).toBe("63% seen by now.");
    expect(sentence.map((part) => (typeof part === "string" ? part : part.figure)).join("")).toBe(
      "As drawn. The weights of now promise 67% by the end of epoch 3, 83% by that of 7.",
    );
  });

  it("is not there before anything is drawn, nor without a promise", () => {
    expect(seenSoFar(liveState({ ...live, position: 0 }), "iid")).toBeNull();
    expect(seenSoFar(liveState({ num_seen: 3 }), "deck")).toBeNull();
  });

  it("marks now on the curve of the epochs", async () => {
    const { model, find } = await mounted(WEIGHTS, CoverageStrip);
    model.emit("msg:custom", { v: 1, event: "live", live }, []);
    await settled();
    find("[data-tab=epochs]").click();
    await settled();
    expect(Number(find("[data-testid=cover-now]").dataset.epoch)).toBeCloseTo(2 + 412 / 938, 9);
    expect(find("[data-testid=coverage-says]").textContent).toContain("63% seen by now.");
  });
});
