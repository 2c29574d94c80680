// Training in the header: how far it is, and letting the sliders go.
import { describe, expect, it } from "vitest";
import { liveState } from "../../dev/live-state.ts";
import { settled } from "../../dev/scripted-kernel.ts";
import { TrainingChip } from "../../src/live/training-chip.tsx";
import { type Mounted, mounted } from "../charts/mounted.tsx";

async function told(change = {}): Promise<Mounted> {
  const shown = await mounted({ weights: { 5: 20 } }, TrainingChip);
  shown.model.emit("msg:custom", { v: 1, event: "live", live: liveState(change) }, []);
  await settled();
  return shown;
}

function open({ find }: Mounted): void {
  find("[popover]").dispatchEvent(Object.assign(new Event("toggle"), { oldState: "closed", newState: "open" }));
}

describe("the training chip", () => {
  it("is not there without a loader", async () => {
    const { all } = await mounted({}, TrainingChip);
    expect(all("[data-testid=penstock-training]")).toEqual([]);
  });

  it("says epoch, batch and what is reported, as people count", async () => {
    const { find } = await told();
    expect(find("[data-testid=penstock-training]").textContent).toBe("trainingepoch 3batch 412/938loss 0.41▾");
    expect(find("[data-testid=penstock-training]").title).toContain("next batch");
  });

  it("says why weights do not reach the loader", async () => {
    const { find } = await told({ follows: false, why: "the query has other samples than the loader" });
    expect(find("[data-testid=penstock-training]").title).toBe("the query has other samples than the loader");
    expect(find("[data-testid=penstock-training] i").dataset.follows).toBe("false");
  });

  it("detaches the sliders, and attaches them again", async () => {
    const shown = await told();
    const { find, model, store } = shown;
    model.onSend = ({ op, id }) => {
      if (op === "weights.set") model.reply(id, {});
    };
    open(shown);
    await settled();
    find("[data-testid=penstock-follow]").click();
    await settled();
    const asked = model.sent.filter(({ op }) => op === "live.follow");
    expect(asked.map(({ args }) => args)).toEqual([{ on: false }]);
    model.reply(asked[0]?.id ?? "", { live: liveState({ follows: false }) });
    await settled();
    expect(store.live.value?.follows).toBe(false);
    expect(find("[data-testid=penstock-follow]").textContent).toBe("Attach the sliders");
  });

  it("shows its schedule", async () => {
    const shown = await told();
    shown.store.coverTab.value = "times";
    open(shown);
    await settled();
    shown.find("[data-testid=penstock-go-to-schedule]").click();
    expect(shown.store.coverTab.value).toBe("schedule");
  });

  it("goes with the news that there is no loader any more", async () => {
    const { model, all } = await told();
    model.emit("msg:custom", { v: 1, event: "live", live: null }, []);
    await settled();
    expect(all("[data-testid=penstock-training]")).toEqual([]);
  });
});
