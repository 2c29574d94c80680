// What a hand does to the sliders and numbers of the class table.
import { describe, expect, test } from "vitest";
import { SHAPES, settled } from "../../dev/scripted-kernel.ts";
import { ClassTable } from "../../src/class-table/class-table.tsx";
import { mounted, press, slide, type, wait } from "../charts/mounted.tsx";
import { answer, bar, counts, field, order, row, sentence, slider, WEIGHTS } from "./the-table.ts";

describe("a slider", () => {
  test("rewrites its literal, number, bar and counts before the handler returns, and tells the kernel at rest only", async () => {
    const table = await mounted(WEIGHTS, ClassTable);
    const { find, store, model } = table;
    const before = model.sent.length;
    const sampled = find(bar("Cross")).dataset.sampled;
    const painted = find(`${bar("Cross")} .penstock-bar-sampled`).getAttribute("width");
    const text = counts(table, "Cross");
    slide(find<HTMLInputElement>(slider("Cross")), 1000);
    expect(store.text.value).toContain("'Cross'): 100,");
    expect(find<HTMLInputElement>(field("Cross")).value).toBe("100");
    expect(Number(find(bar("Cross")).dataset.sampled)).toBeGreaterThan(Number(sampled));
    expect(find(`${bar("Cross")} .penstock-bar-sampled`).getAttribute("width")).not.toBe(painted);
    expect(counts(table, "Cross")).not.toBe(text);
    expect(model.sent.length).toBe(before);
    await wait(80);
    const told = model.sent.slice(before).filter(({ op }) => op === "weights.set");
    expect(told.map(({ args }) => args.weights)).toEqual([[6, 8, 100, 1]]);
  });

  test("has a measured handler", async () => {
    const { find } = await mounted(WEIGHTS, ClassTable);
    performance.clearMeasures("penstock:slider");
    slide(find<HTMLInputElement>(slider("Cross")), 600);
    expect(performance.getEntriesByName("penstock:slider")).toHaveLength(1);
  });

  test("ignores echoes until its drag ends", async () => {
    const { find, store } = await mounted(WEIGHTS, ClassTable);
    const input = find<HTMLInputElement>(slider("Ring"));
    slide(input, 700);
    expect(store.dragging.value).toBe(true);
    input.dispatchEvent(new Event("change", { bubbles: true }));
    expect(store.dragging.value).toBe(false);
  });

  test("multiplies by keys, which the notebook does not see", async () => {
    const { find, store } = await mounted(WEIGHTS, ClassTable);
    const event = press(find(slider("Cross")), "ArrowRight");
    expect(store.weights.value[2]).toBe(22);
    expect(event.defaultPrevented).toBe(true);
    press(find(slider("Cross")), "PageDown");
    expect(store.weights.value[2]).toBe(11);
  });

  test("shares its scale with all others, ten times as far once a weight passes 100", async () => {
    const { find, store, all } = await mounted(WEIGHTS, ClassTable);
    const at = (name: string) => Number(find<HTMLInputElement>(slider(name)).value);
    expect(at("Ring")).toBe(Math.round(500 + 500 * (Math.log10(8) / 2)));
    type(find<HTMLInputElement>(field("Cross")), "400");
    expect(store.weights.value[2]).toBe(400);
    expect(at("Ring")).toBe(Math.round(500 + 500 * (Math.log10(8) / 3)));
    await settled();
    expect(all(".penstock-head-slider span").map((one) => one.textContent)).toEqual(["0", "1", "1k"]);
  });

  test("is back at 1 without its clause after a double click", async () => {
    const table = await mounted(WEIGHTS, ClassTable);
    table.find(slider("Ring")).dispatchEvent(new Event("dblclick", { bubbles: true }));
    await settled();
    expect(table.model.sent.at(-1)).toMatchObject({ op: "clause.remove", args: { clause: 1 } });
    await answer(table, { 5: 20, 3: 6 });
    expect(table.find(row("Ring")).dataset.ghost).toBe("true");
    expect(order(table)).toEqual(["everything else", "Cross", "Star", "Ring", "Triangle", "Square", "Circle"]);
  });

  test.each(["Backspace", "Delete"])("is back at 1 without its clause after %s", async (key) => {
    const { find, model } = await mounted(WEIGHTS, ClassTable);
    press(find(slider("Cross")), key);
    await settled();
    expect(model.sent.at(-1)).toMatchObject({ op: "clause.remove", args: { clause: 2 } });
  });

  test("of everything else goes back to 1 and stays", async () => {
    const { find, store, model } = await mounted({ ...WEIGHTS, everythingElse: 4 }, ClassTable);
    const before = model.sent.length;
    press(find(slider("everything else")), "Delete");
    expect(store.weights.value[3]).toBe(1);
    expect(model.sent.slice(before).map(({ op }) => op)).not.toContain("clause.remove");
  });

  test("that others outweigh says from which weight on it counts, and who wins", async () => {
    const { find, all } = await mounted({ weights: { 5: 20, 0: 0.5 } }, ClassTable);
    const [note, ...more] = all("[data-testid=no-effect]");
    expect(more).toEqual([]);
    expect(note?.closest<HTMLElement>("[data-key]")?.dataset.class).toBe("Circle");
    expect(note?.textContent).toBe("no effect ≤ 1");
    expect(note?.title).toBe("no effect below 1, the weight of everything else");
    expect(find(slider("Circle")).getAttribute("aria-describedby")).toBe(note?.id);
    slide(find<HTMLInputElement>(slider("Circle")), 600);
    await settled();
    expect(all("[data-testid=no-effect]")).toEqual([]);
  });

  test("says so of a class whose clause came with its first move", async () => {
    const table = await mounted({ weights: { 5: 20 } }, ClassTable);
    const { find, all } = table;
    expect(all("[data-testid=no-effect]")).toEqual([]);
    press(find(slider("Circle")), "PageDown");
    await settled();
    await answer(table, { 5: 20, 0: 0.5 });
    await settled();
    const note = find("[data-testid=no-effect]");
    expect(note.closest<HTMLElement>("[data-key]")?.dataset.class).toBe("Circle");
    expect(note.textContent).toBe("no effect ≤ 1");
  });

  test("waits for a broken query, and the sentence says why", async () => {
    const table = await mounted(WEIGHTS, ClassTable);
    table.store.textFault.value = "no class 'Rng' in labels";
    await settled();
    expect(table.all<HTMLInputElement>("[data-testid=weight-slider]").every((input) => input.disabled)).toBe(true);
    expect(sentence(table)).toContain("Sliders wait for the query: no class 'Rng'");
  });

  test("names the fault alone; what was expected is beside the query", async () => {
    const table = await mounted(WEIGHTS, ClassTable);
    table.store.textFault.value = "'Rng' is not a class. Expected one of: Ring, Cross. Hint: did you mean 'Ring'?";
    await settled();
    expect(sentence(table)).toBe(
      "Sliders wait for the query: 'Rng' is not a class. Bars and coverage show the last query that ran.",
    );
  });

  test("of a clause lives without a kernel; one without a clause waits for it", async () => {
    const { find, store } = await mounted(WEIGHTS, ClassTable);
    store.link.value = "dead";
    await settled();
    expect(find<HTMLInputElement>(slider("Cross")).disabled).toBe(false);
    expect(find<HTMLInputElement>(slider("Circle")).disabled).toBe(true);
    const sampled = find(bar("Cross")).dataset.sampled;
    slide(find<HTMLInputElement>(slider("Cross")), 1000);
    expect(find(bar("Cross")).dataset.sampled).not.toBe(sampled);
    press(find(slider("Cross")), "Delete");
    await settled();
    expect(store.weights.value[2]).toBe(1);
  });
});

describe("a number", () => {
  test("that is typed counts at once", async () => {
    const { find, store } = await mounted(WEIGHTS, ClassTable);
    type(find<HTMLInputElement>(field("Ring")), "0,5");
    expect(store.weights.value[1]).toBe(0.5);
  });

  test.each(["-3", "", "x", "1e999"])("that is no weight changes nothing: %j", async (typed) => {
    const { find, store } = await mounted(WEIGHTS, ClassTable);
    const input = find<HTMLInputElement>(field("Ring"));
    input.focus();
    type(input, typed);
    expect(store.weights.value[1]).toBe(8);
    input.blur();
    expect(input.value).toBe("8");
  });
});

describe("an untouched class", () => {
  test("has a slider at 1 and no clause, each of all classes", async () => {
    const { all, store } = await mounted({}, ClassTable);
    expect(store.clauses.value).toEqual([]);
    const ghosts = all("[data-testid=penstock-class-row]");
    expect(ghosts.map((one) => one.dataset.ghost)).toEqual(ghosts.map(() => "true"));
    expect(all<HTMLInputElement>("[data-testid=weight-number]").every((input) => input.value === "1")).toBe(true);
    expect(all<HTMLInputElement>("[data-testid=weight-slider]").map((input) => input.disabled)).toEqual([
      true, // every sample: there is nothing to compare it with
      ...SHAPES.map(() => false),
    ]);
  });

  test("gets its clause by the first drag, which goes on with the same slider", async () => {
    const table = await mounted({}, ClassTable);
    const { find, store, model } = table;
    const ghost = find<HTMLInputElement>(slider("Cross"));
    slide(ghost, 700);
    slide(ghost, 750);
    await settled();
    expect(find<HTMLInputElement>(field("Cross")).value).toBe("10");
    const added = model.sent.filter(({ op }) => op === "clause.add");
    expect(added.map(({ args }) => args.class_index)).toEqual([5]);
    await answer(table, { 5: 6.31 });
    expect(find(slider("Cross"))).toBe(ghost);
    expect(store.weights.value[0]).toBe(10);
    slide(ghost, 1000);
    expect(store.weights.value[0]).toBe(100);
  });

  test("loses no key and no focus while its clause is on the way", async () => {
    const table = await mounted({}, ClassTable);
    const { find, store } = table;
    const ghost = find<HTMLInputElement>(slider("Circle"));
    ghost.focus();
    for (let i = 0; i < 3; i++) press(ghost, "PageUp");
    await settled();
    expect(find<HTMLInputElement>(field("Circle")).value).toBe("8");
    press(ghost, "PageUp");
    await answer(table, { 0: 2 });
    expect(store.weights.value[0]).toBe(16);
    expect(document.activeElement).toBe(ghost);
    press(ghost, "PageUp");
    expect(store.weights.value[0]).toBe(32);
  });

  test("gets its clause by a typed number, digit by digit", async () => {
    const table = await mounted({}, ClassTable);
    const input = table.find<HTMLInputElement>(field("Ring"));
    input.focus();
    type(input, "2");
    type(input, "25");
    await settled();
    await answer(table, { 4: 2 });
    expect(table.store.weights.value[0]).toBe(25);
    expect(document.activeElement).toBe(input);
  });

  test("waits for the class before it, whose clause would be lost else", async () => {
    const table = await mounted({}, ClassTable);
    const { find, model, store } = table;
    press(find(slider("Cross")), "PageUp");
    press(find(slider("Ring")), "PageUp");
    await settled();
    const added = () => model.sent.filter(({ op }) => op === "clause.add").map(({ args }) => args);
    expect(added()).toHaveLength(1);
    await answer(table, { 5: 2 });
    expect(added()[1]).toMatchObject({ class_index: 4, text: store.text.value });
  });

  test("does not take back a weight that moves while its clause is on the way", async () => {
    const table = await mounted({ weights: { 5: 20 } }, ClassTable);
    const { find, store } = table;
    press(find(slider("Ring")), "PageUp");
    await settled();
    press(find(slider("Cross")), "PageUp");
    await answer(table, { 5: 20, 4: 2 });
    expect(store.textFault.value).toBeNull();
    expect([...store.weights.value]).toEqual([2, 40, 1]);
  });

  test("is at 1 again when the kernel refuses its clause", async () => {
    const { find, model, store } = await mounted({}, ClassTable);
    press(find(slider("Cross")), "PageUp");
    await settled();
    const asked = model.sent.find(({ op }) => op === "clause.add");
    model.refuse(asked?.id ?? "", { code: "QueryError", message: "no" });
    await settled();
    expect(find<HTMLInputElement>(field("Cross")).value).toBe("1");
    expect(store.clauses.value).toEqual([]);
  });
});
