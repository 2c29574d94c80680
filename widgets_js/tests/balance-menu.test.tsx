import { describe, expect, test, vi } from "vitest";
import { queryState, settled, shown } from "../dev/scripted-kernel.ts";
import "../src/class-table/balance-choices.tsx"; // loaded when first needed, here at once
import { BalanceMenu } from "../src/class-table/balance-menu.tsx";
import { doneText, PRESETS, presetWeights } from "../src/class-table/preset-weights.ts";
import { tunerState } from "../src/class-table/tuner-state.ts";
import type { PresetName } from "../src/session/protocol.ts";
import { type Mounted, mounted, press } from "./charts/mounted.tsx";

const WEIGHTS = { weights: { 5: 20, 4: 8, 3: 6 } };

async function opened(scenario: Parameters<typeof mounted>[0]): Promise<Mounted> {
  const found = await mounted(scenario, BalanceMenu);
  unfold(found);
  await vi.waitFor(() => found.find("[data-testid=preset-raw]"));
  return found;
}

/** Opens the popover, which no tested DOM does. */
function unfold({ find }: Mounted): void {
  const panel = find("[data-testid=penstock-balance]").nextElementSibling;
  panel?.dispatchEvent(Object.assign(new Event("toggle"), { newState: "open" }));
}

const label = ({ find }: Mounted) => find("[data-testid=penstock-balance]").textContent;
const filled = ({ find }: Mounted) => find("[data-testid=penstock-balance]").classList.contains("penstock-primary");

/** The kernel answers the preset that was asked for, and the run that follows. */
async function answered({ model }: Mounted, name: PresetName, weights: Record<number, number>): Promise<void> {
  await settled(); // the turn of what was written before
  const asked = model.sent.at(-1);
  const { query, buffers } = queryState({ weights });
  model.reply(asked?.id ?? "", { text: query.text, reference: "" });
  await settled();
  const preset = { name, parameter: null, weights: query.clauses.map(({ weight }) => weight) };
  model.reply(model.sent.at(-1)?.id ?? "", { ...shown({ ...query, preset }), history: [] }, buffers);
  await settled();
}

describe("the Balance menu", () => {
  test("is filled before any weight, and says afterwards what the weights come from", async () => {
    const found = await opened({});
    expect([label(found), filled(found)]).toEqual(["Balance ▾", true]);
    found.find("[data-testid=preset-balanced]").click();
    await answered(found, "balanced", { 5: 34, 4: 13, 3: 7 });
    expect([label(found), filled(found)]).toEqual(["Balanced ▾", false]);
    found.store.actions.setWeight(0, 2);
    await settled();
    expect(label(found)).toBe("Balanced, 1 changed ▾");
    await found.store.actions.undoWeights();
    await settled();
    expect(label(found)).toBe("Balanced ▾");
  });

  test("says in one line what a preset did, with Undo", async () => {
    const found = await opened({});
    found.find("[data-testid=preset-balanced]").click();
    await answered(found, "balanced", { 5: 34, 4: 13, 3: 7 });
    expect(found.store.toast.value).toMatchObject({
      text: "Balanced: 3 weights from 7 to 34",
      undo: true,
      of: "weights",
    });
  });

  test("asks the kernel with the parameter that is typed, and keeps locked weights as one step", async () => {
    const found = await opened(WEIGHTS);
    const { find, store, model } = found;
    tunerState(store).toggleLock("contains(labels, 'Ring')");
    const beta = find<HTMLInputElement>("[data-testid=preset-effective_number-parameter]");
    beta.value = "0.9";
    beta.dispatchEvent(new Event("input", { bubbles: true }));
    press(beta, "Enter");
    await settled();
    expect(model.sent.at(-1)).toMatchObject({
      op: "clause.preset",
      args: { preset: "effective_number", parameter: 0.9 },
    });
    await answered(found, "effective_number", { 5: 30, 4: 3, 3: 2 });
    expect([...store.weights.value]).toEqual([2, 8, 30, 1]);
    expect(store.toast.value?.text).toBe("Effective number: 3 weights from 2 to 30, 1 locked");
    await store.actions.undoWeights();
    expect([...store.weights.value]).toEqual([6, 8, 20, 1]);
  });

  test.each(["", "-1", "1", "abc"])("offers no preset with β = “%s”", async (text) => {
    const { find } = await opened(WEIGHTS);
    const beta = find<HTMLInputElement>("[data-testid=preset-effective_number-parameter]");
    beta.value = text;
    beta.dispatchEvent(new Event("input", { bubbles: true }));
    await settled();
    expect(find("[data-testid=preset-effective_number]").hasAttribute("disabled")).toBe(true);
  });

  test("without a kernel acts on the sliders at hand", async () => {
    const found = await opened(WEIGHTS);
    const { find, store, model } = found;
    store.link.value = "static";
    await settled();
    const sent = model.sent.length;
    find("[data-testid=preset-square_root]").click();
    await settled();
    const circles = 180 + 70 + 60 + 12 + 11 + 3; // samples of the commonest class
    const told = [54, 31, 12].map((n) => Number(Math.sqrt(circles / n).toPrecision(3)));
    expect([...store.weights.value]).toEqual([...told, 1]);
    expect(label(found)).toBe("Square root ▾");
    expect(model.sent.slice(sent).filter(({ op }) => op === "clause.preset")).toEqual([]);
    expect(find("[data-testid=target-shares]").hasAttribute("disabled")).toBe(true);
  });

  test("is off without class labels, without a kernel to write the first clause, and while the text is another", async () => {
    const found = await opened({});
    const off = () => found.find("[data-testid=penstock-balance]").hasAttribute("disabled");
    expect(off()).toBe(false);
    found.store.textFault.value = "the query text has changed; run it first";
    await settled();
    expect(off()).toBe(true);
    found.store.textFault.value = null;
    found.store.link.value = "dead";
    await settled();
    expect(off()).toBe(true);
  });

  test("target shares that cannot be met say why", async () => {
    const { find, model } = await opened(WEIGHTS);
    find("[data-testid=target-shares]").click();
    await vi.waitFor(() => find("[data-testid=target-percent]"));
    press(find("[data-testid=target-percent]"), "Enter");
    const asked = model.sent.at(-1);
    expect(asked?.op).toBe("targets.solve");
    model.refuse(asked?.id ?? "", { code: "InfeasibleTargetsError", message: "no row has both Cross and Star" });
    await settled();
    expect(find("[data-testid=targets-reason]").textContent).toBe("no row has both Cross and Star");
  });
});

const presetNamed = (name: PresetName) => PRESETS.find((one) => one.name === name) as (typeof PRESETS)[number];

test.each([
  ["balanced", undefined, [0.3, 193], "Balanced: 2 weights from 0.3 to 193"],
  ["balanced", undefined, [2, 2], "Balanced: 2 weights at 2"],
  ["balanced", undefined, [1, 1], "Nothing to change: every class is in the same number of samples"],
  ["raw", undefined, [1, 1], "Raw: every weight is 1"],
  [
    "repeat_factor",
    0.001,
    [1, 1],
    "Nothing to repeat at t = 0.001: Cross, the rarest class, is in 2% of the samples. Set t above 0.02",
  ],
  ["effective_number", 0, [1, 1], "Nothing to change: β = 0 leaves the classes as they are"],
  ["effective_number", 0.5, [1, 1], "Nothing to change at β = 0.5: the counts are too large. Set β nearer to 1"],
] as const)("%s with %s of %j in words", (name, parameter, weights, text) => {
  const rarest = { name: "Cross", share: 0.02 };
  expect(doneText({ preset: presetNamed(name), parameter, weights, locked: 0, rarest })).toBe(text);
});

test("the t that is named repeats the rarest class once it is passed", () => {
  const share = 7 / 600;
  const told = doneText({
    preset: presetNamed("repeat_factor"),
    parameter: 0.001,
    weights: [1],
    locked: 0,
    rarest: { name: "Cross", share },
  });
  const t = Number(/above ([\d.]+)$/.exec(told)?.[1]);
  const clause = { expression: "", label: "", class_index: 0, weight: 1, from: 0, to: 1 };
  expect(presetWeights("repeat_factor", t * 1.01, [clause], [7], 600)[0]).toBeGreaterThan(1);
});
