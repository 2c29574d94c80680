// The column of what training reported: off until wanted, means of classes and conditions, and the sort by it.
import { describe, expect, it } from "vitest";
import { liveState } from "../../dev/live-state.ts";
import { dataset, settled } from "../../dev/scripted-kernel.ts";
import { ClassTable } from "../../src/class-table/class-table.tsx";
import { columnsFor } from "../../src/class-table/columns.ts";
import { type Mounted, mounted, wait } from "../charts/mounted.tsx";
import { order, sortBy, WEIGHTS } from "./the-table.ts";

const LOSSES = [0.31, 0.38, 0.44, null, 1.18, 1.46];

async function table(names = ["accuracy", "loss"]): Promise<Mounted> {
  const shown = await mounted(WEIGHTS, ClassTable);
  shown.model.onSend = ({ op, id }) => {
    if (op === "signals.means") shown.model.reply(id, { classes: LOSSES, clauses: [1.46, 1.18, null, 0.37] });
  };
  shown.store.dataset.value = { ...dataset(), signals: { run: "a", names, stale: 0 } };
  await settled();
  return shown;
}

async function switched(shown: Mounted): Promise<void> {
  shown.find("[data-testid=penstock-signal-toggle]").click();
  await settled();
  await wait(200);
  await settled();
}

const value = ({ find }: Mounted, name: string) =>
  find(`[data-testid=penstock-signal][data-class='${name}']`).textContent;

describe("the column of a signal", () => {
  it("is off, with a switch named after the signal, the loss if there is one", async () => {
    const shown = await table();
    expect(shown.find("[data-testid=penstock-signal-toggle]").textContent).toBe("loss");
    expect(shown.all("[data-testid=penstock-signal]")).toEqual([]);
    expect(shown.model.sent.some(({ op }) => op === "signals.means")).toBe(false);
  });

  it("has no switch without signals", async () => {
    const { all } = await mounted(WEIGHTS, ClassTable);
    expect(all("[data-testid=penstock-signal-toggle]")).toEqual([]);
    expect(all("[data-testid=sort] option").map((one) => one.textContent)).not.toContain("highest loss");
  });

  it("shows the mean of each class and condition, and a dash where nothing was reported", async () => {
    const shown = await table();
    await switched(shown);
    expect(value(shown, "Cross")).toBe("1.46");
    expect(value(shown, "Star")).toBe("–");
    expect(value(shown, "everything else")).toBe("0.37");
    expect(shown.find("[data-testid=penstock-classes]").getAttribute("aria-colcount")).toBe("6");
    expect(shown.find(".penstock-head-signal").textContent).toBe("loss");
  });

  it("sorts by it, the highest first, what has none last", async () => {
    const shown = await table();
    shown.store.weights.value = new Float64Array([1, 1, 1, 1]);
    await sortBy(shown, "signal");
    await wait(200);
    await settled();
    const classes = order(shown).filter((name) => name !== "everything else");
    expect(classes.slice(-4)).toEqual(expect.arrayContaining(["Triangle", "Square", "Circle"]));
    expect(classes.indexOf("Triangle")).toBeLessThan(classes.indexOf("Square"));
    expect(classes.indexOf("Square")).toBeLessThan(classes.indexOf("Circle"));
  });

  it("comes with a loop that reports", async () => {
    const shown = await table();
    shown.model.emit("msg:custom", { v: 1, event: "live", live: liveState() }, []);
    await settled();
    expect(shown.store.signalColumn.value).toBe("loss");
  });

  it("has a bar from 560 pixels on, the number alone from 480, and no room below", () => {
    expect(columnsFor(568, false, true)).toMatchObject({ slider: 84, bars: 96, text: 84, signal: 68 });
    expect(columnsFor(492, false, true)).toMatchObject({ slider: 64, bars: 72, text: 84, signal: 32 });
    expect(columnsFor(460, false, true)).toEqual(columnsFor(460, false));
    expect(columnsFor(420, false, true).signal).toBe(0);
  });
});
