import { describe, expect, test, vi } from "vitest";
import { queryState, settled, shown } from "../../dev/scripted-kernel.ts";
import { HistogramPanel } from "../../src/histogram/histogram-panel.tsx";
import { WeightsPanel } from "../../src/tuner/weights-panel.tsx";
import { FOCUSABLE_SELECTOR } from "../../src/ui/focus.ts";
import { mounted, press, slide, wait } from "./mounted.tsx";

const WEIGHTS = { weights: { 5: 20, 4: 8, 3: 6 } };
const slider = (name: string) => `[data-testid=weight-slider][data-class='${name}']`;
const field = (name: string) => `[data-label='${name}'] [data-testid=weight-number]`;

describe("sliders of a query with SAMPLE BY", () => {
  test("one a clause, at its weight, in clause order", async () => {
    const { all } = await mounted(WEIGHTS, WeightsPanel);
    expect(all("[data-testid=weight]").map((row) => row.dataset.label)).toEqual([
      "Star",
      "Ring",
      "Cross",
      "everything else",
    ]);
    expect(all("[data-testid=weight-slider]").map((input) => input.dataset.weight)).toEqual(["6", "8", "20", "1"]);
    expect(all<HTMLInputElement>("[data-testid=weight-number]").map((input) => input.value)).toEqual([
      "6",
      "8",
      "20",
      "1",
    ]);
  });

  test("a move rewrites its literal, the number and the bars before the handler returns, and tells the kernel at rest only", async () => {
    const { find, store, model } = await mounted(WEIGHTS, WeightsPanel, HistogramPanel);
    const before = model.sent.length;
    const bar = find("[data-testid=bar][data-class=Cross]");
    const sampled = bar.dataset.sampled;
    const painted = find("[data-bar='5'] .penstock-bar-sampled").getAttribute("width");
    slide(find<HTMLInputElement>(slider("Cross")), 1000);
    expect(store.text.value).toContain("'Cross'): 100,");
    expect(find<HTMLInputElement>(field("Cross")).value).toBe("100");
    expect(Number(bar.dataset.sampled)).toBeGreaterThan(Number(sampled));
    expect(find("[data-bar='5'] .penstock-bar-sampled").getAttribute("width")).not.toBe(painted);
    expect(model.sent.length).toBe(before);
    await wait(80);
    const told = model.sent.slice(before).filter(({ op }) => op === "weights.set");
    expect(told.map(({ args }) => args.weights)).toEqual([[6, 8, 100, 1]]);
  });

  test("the handler is measured", async () => {
    const { find } = await mounted(WEIGHTS, WeightsPanel);
    performance.clearMeasures("penstock:slider");
    slide(find<HTMLInputElement>(slider("Cross")), 600);
    expect(performance.getEntriesByName("penstock:slider")).toHaveLength(1);
  });

  test("a drag ignores echoes until it ends", async () => {
    const { find, store } = await mounted(WEIGHTS, WeightsPanel);
    const input = find<HTMLInputElement>(slider("Ring"));
    slide(input, 700);
    expect(store.dragging.value).toBe(true);
    input.dispatchEvent(new Event("change", { bubbles: true }));
    expect(store.dragging.value).toBe(false);
  });

  test("arrows multiply, and the notebook does not see the key", async () => {
    const { find, store } = await mounted(WEIGHTS, WeightsPanel);
    const event = press(find(slider("Cross")), "ArrowRight");
    expect(store.weights.value[2]).toBe(22);
    expect(event.defaultPrevented).toBe(true);
    press(find(slider("Cross")), "PageDown");
    expect(store.weights.value[2]).toBe(11);
  });

  test("a typed number counts at once and stretches its slider above 100", async () => {
    const { find, store } = await mounted(WEIGHTS, WeightsPanel);
    const input = find<HTMLInputElement>(field("Ring"));
    input.value = "250";
    input.dispatchEvent(new Event("input", { bubbles: true }));
    expect(store.weights.value[1]).toBe(250);
    expect(find<HTMLInputElement>(slider("Ring")).value).toBe("1000");
    slide(find<HTMLInputElement>(slider("Ring")), 750);
    expect(store.weights.value[1]).toBe(15.8); // the square root of 250
  });

  test("what is no weight changes nothing", async () => {
    const { find, store } = await mounted(WEIGHTS, WeightsPanel);
    const input = find<HTMLInputElement>(field("Ring"));
    for (const typed of ["-3", ""]) {
      input.value = typed;
      input.dispatchEvent(new Event("input", { bubbles: true }));
    }
    expect(store.weights.value[1]).toBe(8);
  });

  test("Ctrl+Z takes a whole drag back and says so; Redo brings it again", async () => {
    const { find, store } = await mounted(WEIGHTS, WeightsPanel);
    const input = find<HTMLInputElement>(slider("Cross"));
    for (const position of [600, 700, 800]) slide(input, position);
    input.dispatchEvent(new Event("change", { bubbles: true }));
    const moved = store.weights.value[2];
    press(input, "z", { ctrlKey: true });
    expect(store.weights.value[2]).toBe(20);
    await settled();
    expect(find("[data-testid=weights-undone]").textContent).toContain(`Cross: ${moved} → 20`);
    find("[data-testid=weights-undone] button").click();
    expect(store.weights.value[2]).toBe(moved);
  });

  test("broken text disables the sliders and says why", async () => {
    const { find, all, store } = await mounted(WEIGHTS, WeightsPanel);
    store.textFault.value = "no class 'Rng' in labels";
    await settled();
    expect(all<HTMLInputElement>("[data-testid=weight-slider]").every((input) => input.disabled)).toBe(true);
    expect(find("[data-testid=slider-fault]").textContent).toContain("no class 'Rng'");
  });

  test("a slider below the fallback says that it has no effect", async () => {
    const { find, all } = await mounted({ weights: { 5: 20, 0: 0.5 } }, WeightsPanel);
    expect(all("[data-testid=no-effect]").map((note) => note.textContent)).toEqual([
      "no effect below 1, the weight of everything else",
    ]);
    slide(find<HTMLInputElement>(slider("Circle")), 600);
    await settled();
    expect(all("[data-testid=no-effect]")).toEqual([]);
  });

  test("every focusable element keeps its keys from the notebook", async () => {
    const { all } = await mounted(WEIGHTS, WeightsPanel, HistogramPanel);
    const bare = all(FOCUSABLE_SELECTOR).filter((element) => element.dataset.lmSuppressShortcuts !== "true");
    expect(bare).toEqual([]);
  });
});

describe("lock, solo and presets", () => {
  test("solo sets the others to 0, locked ones excepted, and ends where it began", async () => {
    const { store } = await mounted(WEIGHTS, WeightsPanel);
    const { tunerState } = await import("../../src/tuner/tuner-state.ts");
    const state = tunerState(store);
    state.toggleLock("contains(labels, 'Ring')");
    state.toggleSolo(2);
    expect([...store.weights.value]).toEqual([0, 8, 20, 0]);
    state.toggleSolo(2);
    expect([...store.weights.value]).toEqual([6, 8, 20, 1]);
  });

  test("a lock disables its slider", async () => {
    const { find, store } = await mounted(WEIGHTS, WeightsPanel);
    const { tunerState } = await import("../../src/tuner/tuner-state.ts");
    tunerState(store).toggleLock("contains(labels, 'Ring')");
    await settled();
    expect(find<HTMLInputElement>(slider("Ring")).disabled).toBe(true);
    expect(find<HTMLInputElement>(slider("Cross")).disabled).toBe(false);
  });

  test("a preset is asked of the kernel, keeps locked weights and names its paper", async () => {
    const { find, store, model } = await mounted(WEIGHTS, WeightsPanel);
    const { tunerState } = await import("../../src/tuner/tuner-state.ts");
    tunerState(store).toggleLock("contains(labels, 'Ring')");
    find("[data-testid=preset-effective_number]").click();
    const asked = model.sent.at(-1);
    expect(asked?.op).toBe("clause.preset");
    expect(asked?.args).toMatchObject({ preset: "effective_number", parameter: 0.999 });
    const { query, buffers } = queryState({ weights: { 5: 30, 4: 3, 3: 2 } });
    model.reply(asked?.id ?? "", { text: query.text, reference: "Cui et al., 2019" });
    await settled();
    model.reply(model.sent.at(-1)?.id ?? "", { ...shown(query), history: [] }, buffers);
    await settled();
    expect([...store.weights.value]).toEqual([2, 8, 30, 1]);
    expect(find("[data-testid=preset-note]").textContent).toContain("Cui et al., 2019");
    expect(find("[data-testid=preset-effective_number]").getAttribute("aria-pressed")).toBe("true");
  });

  test("without a kernel presets act on the sliders at hand", async () => {
    const { find, store } = await mounted(WEIGHTS, WeightsPanel);
    store.link.value = "static";
    await settled();
    find("[data-testid=preset-square_root]").click();
    await settled();
    const circles = 412; // instances of the commonest class
    const counts = [54, 31, 12];
    const told = counts.map((n) => Number(Math.sqrt(circles / n).toPrecision(3)));
    expect([...store.weights.value]).toEqual([...told, 1]);
  });
});

describe("before any SAMPLE BY", () => {
  test("the three rarest classes are ghosts, and every other row is 1", async () => {
    const { all } = await mounted({}, WeightsPanel);
    const rows = all("[data-testid=weight]");
    expect(rows.map((row) => row.dataset.label)).toEqual(["Cross", "Ring", "Star", "everything else"]);
    expect(rows.map((row) => row.dataset.ghost)).toEqual(["true", "true", "true", "true"]);
    expect(all<HTMLInputElement>("[data-testid=weight-slider]").map((input) => input.disabled)).toEqual([
      false,
      false,
      false,
      true,
    ]);
  });

  test("moving a ghost adds its clause once and keeps the slider under the pointer", async () => {
    const { find, store, model } = await mounted({}, WeightsPanel);
    const ghost = find<HTMLInputElement>(slider("Cross"));
    slide(ghost, 700);
    slide(ghost, 750);
    const added = model.sent.filter(({ op }) => op === "clause.add");
    expect(added.map(({ args }) => args.class_index)).toEqual([5]);
    const { query, buffers } = queryState({ weights: { 5: 6.31 } });
    model.reply(added[0]?.id ?? "", { text: query.text });
    await settled();
    model.reply(model.sent.at(-1)?.id ?? "", { ...shown(query), history: [] }, buffers);
    await settled();
    expect(find(slider("Cross"))).toBe(ghost);
    expect(store.weights.value[0]).toBe(10);
    slide(ghost, 1000);
    expect(store.weights.value[0]).toBe(100);
  });
});

test("target shares that cannot be met say why", async () => {
  const { find, model } = await mounted(WEIGHTS, WeightsPanel, HistogramPanel);
  find("[data-testid=target-shares]").click();
  await vi.waitFor(() => find("[data-testid=target-percent]"));
  press(find("[data-testid=target-percent]"), "Enter");
  const asked = model.sent.at(-1);
  expect(asked?.op).toBe("targets.solve");
  const targets = asked?.args.targets as { class_index: number }[] | undefined;
  expect(targets?.map((target) => target.class_index)).toEqual([3, 4, 5]);
  model.refuse(asked?.id ?? "", { code: "InfeasibleTargetsError", message: "no row has both Cross and Star" });
  await settled();
  expect(find("[data-testid=targets-reason]").textContent).toBe("no row has both Cross and Star");
});

test("of many sliders those a search finds", async () => {
  const names = Array.from({ length: 80 }, (_, i) => `class ${i}`);
  const weights = Object.fromEntries(names.map((_, i) => [i, 1 + i]));
  const strata = (clauseOf: Map<number, number>, fallback: number | null) =>
    names.map((_, i) => ({ size: 5, clauses: [clauseOf.get(i) as number, fallback as number], classes: { [i]: 5 } }));
  const { find, all, store } = await mounted({ names, weights, strata }, WeightsPanel);
  expect(all("[data-testid=weight]")).toHaveLength(40);
  const search = find<HTMLInputElement>("[data-testid=weight-search]");
  search.value = "class 77";
  search.dispatchEvent(new Event("input", { bubbles: true }));
  await settled();
  expect(all("[data-testid=weight]").map((row) => row.dataset.label)).toEqual(["class 77"]);
  slide(find<HTMLInputElement>(slider("class 77")), 500);
  expect(store.weights.value[77]).toBe(1);
});

test("weights that are an array have no sliders", async () => {
  const { find, all, store } = await mounted(WEIGHTS, WeightsPanel);
  store.clauses.value = [];
  await settled();
  expect(all("[data-testid=weight]")).toEqual([]);
  expect(find("[data-testid=no-sliders]").textContent).toContain("no sliders");
});
