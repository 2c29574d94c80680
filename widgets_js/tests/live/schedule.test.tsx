// The strip of weights over positions: which lines, past and to come, the mark at now, and what it says.
import { describe, expect, it } from "vitest";
import { liveState } from "../../dev/live-state.ts";
import { settled } from "../../dev/scripted-kernel.ts";
import { CoverageStrip } from "../../src/coverage/coverage-strip.tsx";
import { extentOf, lastChange, weightExtent, weightLines } from "../../src/live/schedule-lines.ts";
import { scheduleText } from "../../src/live/schedule-tab.tsx";
import { placeOf } from "../../src/session/live-state.ts";
import { mounted } from "../charts/mounted.tsx";

const words = (live = liveState()): string => {
  const { headline, sentence } = scheduleText(live);
  return `${headline}. ${sentence.map((part) => (typeof part === "string" ? part : part.figure)).join("")}`;
};

describe("the lines of a schedule", () => {
  it("are steps where the weight is another, the one moved last first", () => {
    const lines = weightLines(liveState());
    expect(lines.map(({ label }) => label)).toEqual(["Cross", "Star", "Ring"]);
    expect(lines[0]?.steps.map(({ weight }) => weight)).toEqual([1, 4, 12, 20]);
    expect(lines[2]?.steps.map(({ weight }) => weight)).toEqual([1, 2, 8]);
  });

  it("leave out what weighs 1 all along, and keep what is weighted all along", () => {
    const entries = [{ start: 0, weights: [5, null, 1, 1] }];
    expect(weightLines(liveState({ entries })).map(({ label }) => label)).toEqual(["Cross"]);
  });

  it("draw a weight of 0 below the lowest", () => {
    const entries = [
      { start: 0, weights: [0, 2, 1, 1] },
      { start: 64, weights: [4, 2, 1, 1] },
    ];
    expect(weightExtent(weightLines(liveState({ entries })))).toEqual({ low: 0.5, high: 4, zero: true });
  });

  it("end with the epoch under way", () => {
    const live = liveState();
    const entries = [{ start: 0, weights: [1, 1, 1, 1] }];
    expect(extentOf(live)).toBe(3 * live.draws);
    expect(extentOf(liveState({ position: 0, epoch: 0, entries }))).toBe(live.draws);
    expect(extentOf(liveState({ position: 2 * live.draws, epoch: 2 }))).toBe(3 * live.draws);
  });
});

describe("what the strip says", () => {
  it("names the last change, and the batch it holds from", () => {
    expect(words()).toBe("Cross 12 → 20. Changed at epoch 3, batch 412; recorded. A resumed run draws the same.");
    expect(lastChange(liveState())).toMatchObject({ label: "Cross", from: 12, to: 20, others: 0 });
  });

  it("counts others that changed at once", () => {
    const entries = [
      { start: 0, weights: [1, 1, 1, 1] },
      { start: 128, weights: [20, 8, 6, 1] },
    ];
    expect(words(liveState({ entries }))).toContain("Cross 1 → 20 and 2 more. Changed at epoch 1, batch 3;");
  });

  it("says from when a change holds that is to come", () => {
    const live = liveState();
    const later = { start: 3 * live.draws, weights: [20, 8, 9, 1] };
    const told = liveState({ entries: [...live.entries, later] });
    expect(words(told)).toBe("Star 6 → 9. Recorded; holds from epoch 4, batch 1 on: those before it are drawn.");
    expect(extentOf(told)).toBe(4 * live.draws);
  });

  it("says how to begin, that sliders are detached, and that nothing changed", () => {
    const entries = [{ start: 0, weights: [1, 1, 1, 1] }];
    expect(words(liveState({ entries }))).toContain("takes effect at the next batch");
    expect(words(liveState({ entries, when: "next_epoch" }))).toContain("takes effect at the next epoch");
    expect(words(liveState({ entries, follows: false }))).toContain("Sliders are detached");
    expect(words(liveState({ entries, state: "ended" }))).toContain("did not change");
  });

  it("counts epochs and batches from 1, a smaller last batch too", () => {
    const live = liveState({ draws: 100, num_batches: 2 });
    expect(placeOf(live, 0)).toEqual({ epoch: 1, batch: 1 });
    expect(placeOf(live, 99)).toEqual({ epoch: 1, batch: 2 });
    expect(placeOf(live, 100)).toEqual({ epoch: 2, batch: 1 });
  });
});

describe("the tab of the schedule", () => {
  it("comes into view with a loader, and goes with it", async () => {
    const { model, find, all } = await mounted({ weights: { 5: 20 } }, CoverageStrip);
    const tell = async (live: unknown): Promise<void> => {
      model.emit("msg:custom", { v: 1, event: "live", live }, []);
      await settled();
      await settled();
    };
    expect(all("[data-tab=schedule]")).toEqual([]);
    await tell(liveState());
    expect(find("[data-tab=schedule]").getAttribute("aria-selected")).toBe("true");
    expect(find("[data-testid=penstock-schedule]").dataset.entries).toBe("7");
    expect(all("[data-testid=penstock-weight-line]").map((line) => line.dataset.label)).toEqual([
      "Ring",
      "Star",
      "Cross",
    ]);
    find("[data-tab=epochs]").click();
    await settled();
    await tell(liveState({ position: 3 * 938 * 64 }));
    expect(find("[data-tab=epochs]").getAttribute("aria-selected")).toBe("true"); // news of the same loader
    await tell(null);
    expect(all("[data-tab=schedule]")).toEqual([]);
  });

  it("marks now, past lines up to it and what is to come after it", async () => {
    const { model, find, all } = await mounted({ weights: { 5: 20 } }, CoverageStrip);
    model.emit("msg:custom", { v: 1, event: "live", live: liveState() }, []);
    await settled();
    await settled();
    const now = Number(find("[data-testid=penstock-now] line").getAttribute("x1"));
    const [past, future] = [...all("[data-label=Cross] path")].map((path) => path.getAttribute("d") ?? "");
    expect(past?.endsWith(`H${now.toFixed(1)}`)).toBe(true);
    expect(future?.startsWith(`M${now.toFixed(1)} `)).toBe(true);
  });
});
