// The class table over a scripted kernel: what each row shows, and what a hand and keys do to it.
import { describe, expect, test, vi } from "vitest";
import { gridState, queryState, type Scenario, SHAPES, settled, shown } from "../dev/scripted-kernel.ts";
import { ClassTable } from "../src/class-table/class-table.tsx";
import { columnsFor } from "../src/class-table/columns.ts";
import { moveText } from "../src/class-table/sentence.tsx";
import { tunerState } from "../src/class-table/tuner-state.ts";
import { CoverageStrip } from "../src/coverage/coverage-strip.tsx";
import { undoKind } from "../src/runtime/undo-keys.ts";
import { FOCUSABLE_SELECTOR } from "../src/ui/focus.ts";
import { type Mounted, mounted, press, slide, type, wait } from "./charts/mounted.tsx";

const WEIGHTS = { weights: { 5: 20, 4: 8, 3: 6 } };
// Instances of the scripted rows: 180 + 140 + 60 + 12 + 11 + 9 circles, and so on by hand.
const RAW = { Circle: 412, Square: 60 + 60 + 68 + 20, Triangle: 60 + 51 + 20, Star: 34 + 12 + 8, Ring: 31, Cross: 12 };

const row = (name: string) => `[data-testid=penstock-class-row][data-class='${name}']`;
const slider = (name: string) => `[data-testid=weight-slider][data-class='${name}']`;
const field = (name: string) => `[data-testid=weight-number][data-class='${name}']`;
const bar = (name: string) => `[data-testid=bar][data-class='${name}']`;
const order = ({ all }: Mounted) => all("[data-testid=penstock-class-row]").map((one) => one.dataset.class);
const counts = ({ find }: Mounted, name: string) => find(`${row(name)} .penstock-text-cell`).textContent;
const sentence = ({ find }: Mounted) => find("[data-testid=penstock-sentence]").textContent ?? "";

/** The kernel's answers to the last change of clauses and to the run after it: the query that now stands. */
async function answer({ model }: Mounted, weights: Record<number, number>, more: Scenario = {}): Promise<void> {
  const { query, buffers } = queryState({ ...more, weights });
  const last = (what: string) => model.sent.findLast(({ op }) => op.startsWith(what))?.id ?? "";
  model.reply(last("clause."), { text: query.text, reference: "King and Zeng, 2001" });
  await settled();
  model.reply(last("query.run"), { ...shown(query), history: [] }, buffers);
  await settled();
}

async function sortBy({ find }: Mounted, value: string): Promise<void> {
  const sort = find<HTMLSelectElement>("[data-testid=sort]");
  sort.value = value;
  sort.dispatchEvent(new Event("change", { bubbles: true }));
  await settled();
}

async function search({ find }: Mounted, words: string): Promise<void> {
  type(find<HTMLInputElement>("[data-testid=penstock-find-class]"), words);
  await settled();
}

describe("a row", () => {
  test("has the name, the weight and both counts of its class", async () => {
    const table = await mounted(WEIGHTS, ClassTable);
    const total = 503 + 20 * 12 + 8 * 31 + 6 * 54; // no sample has two of the three
    expect(table.find(`${row("Cross")} .penstock-row-name`).textContent).toBe("Cross");
    expect(table.find(slider("Cross")).dataset.weight).toBe("20");
    expect(table.find<HTMLInputElement>(field("Cross")).value).toBe("20");
    expect(counts(table, "Cross")).toBe(`12→${Math.round((600 * 20 * 12) / total)}`);
  });

  test("without weights has what there is, without a whisker and without a dot", async () => {
    const { all } = await mounted({}, ClassTable);
    for (const one of all("[data-testid=bar]:not([data-class-index=''])")) {
      const raw = String(RAW[one.dataset.class as keyof typeof RAW]);
      expect([one.dataset.raw, one.dataset.sampled, one.dataset.low, one.dataset.high]).toEqual([raw, raw, raw, raw]);
      expect(one.dataset.drawn).toBe("");
    }
  });

  test("has mean and 95 % band of independent draws from the closed form", async () => {
    const { find, store } = await mounted({ weights: { 5: 20 } }, ClassTable);
    const total = 588 + 20 * 12; // 600 rows, 12 of them with a cross
    const mean = (600 * 20 * 12) / total;
    expect(Number(find(bar("Cross")).dataset.sampled)).toBeCloseTo(mean, 8);
    store.actions.setUnit("samples");
    const share = (20 * 12) / total;
    const high = mean + 1.959963984540054 * Math.sqrt(600 * share * (1 - share));
    expect(Number(find(bar("Cross")).dataset.high)).toBeCloseTo(high, 8);
  });

  test("has the first epoch of the loader's own stream, for these weights and this unit only", async () => {
    const { store, model, find } = await mounted({ weights: { 5: 20 } }, ClassTable, CoverageStrip);
    const mark = () => find(bar("Cross")).dataset.drawn;
    await wait(200);
    const asked = model.sent.filter(({ op }) => op === "plan.drawn");
    expect(asked).toHaveLength(1); // one question for table and coverage
    model.reply(asked[0]?.id ?? "", { unique: [330], counts: [300, 150, 90, 40, 20, 181] });
    await settled();
    expect(mark()).toBe("181");
    store.actions.setUnit("samples");
    expect(mark()).toBe("");
    store.actions.setUnit("instances");
    expect(mark()).toBe("181");
    store.actions.setWeight(0, 3);
    expect(mark()).toBe("");
  });

  test("has its figures written out for readers and on hover", async () => {
    const { find } = await mounted({ weights: { 5: 20 } }, ClassTable);
    expect(find(bar("Cross")).getAttribute("aria-label")).toMatch(
      /^Cross: 12 → 174 per epoch; 95 % of epochs: \d+ to \d+; each seen ×14\.5$/,
    );
    find(bar("Cross")).dispatchEvent(new Event("pointerenter"));
    expect(find(bar("Cross")).title).toContain("Cross: 12 → 174 per epoch");
  });

  test("shortens counts from 10,000 on", async () => {
    const strata = () => [{ size: 11_004, clauses: [0], classes: { 0: 11_004, 1: 900 } }];
    const table = await mounted({ names: ["person", "cup"], strata }, ClassTable);
    expect(counts(table, "person")).toBe("11.0k→11.0k");
    expect(counts(table, "cup")).toBe("900→900");
  });
});

describe("the order", () => {
  test("has the condition on top, then the weights set by hand, then the others from the rarest", async () => {
    const table = await mounted({ weights: { 3: 6, 0: 2 } }, ClassTable);
    expect(order(table)).toEqual(["everything else", "Star", "Circle", "Cross", "Ring", "Triangle", "Square"]);
    const cut = table.all(".penstock-cut").map((one) => one.dataset.class);
    expect(cut).toEqual(["Star", "Cross"]);
  });

  test.each([
    ["rare", ["Cross", "Ring", "Star", "Triangle", "Square", "Circle"]],
    ["frequent", ["Circle", "Square", "Triangle", "Star", "Ring", "Cross"]],
    ["weight", ["Cross", "Ring", "Star", "Circle", "Square", "Triangle"]],
    ["moved", ["Cross", "Ring", "Star"]],
  ])("%s", async (sort, expected) => {
    const table = await mounted(WEIGHTS, ClassTable);
    await sortBy(table, sort);
    const names = order(table).slice(1);
    const pinned = ["Star", "Ring", "Cross"];
    const sorted = [
      ...expected.filter((one) => pinned.includes(one)),
      ...expected.filter((one) => !pinned.includes(one)),
    ];
    expect(names.slice(0, sorted.length)).toEqual(sorted);
  });

  test("puts classes without samples last", async () => {
    const strata = () => [{ size: 5, clauses: [0], classes: { 1: 5 } }];
    const table = await mounted({ names: ["none", "some"], strata }, ClassTable);
    expect(order(table)).toEqual(["every sample", "some", "none"]);
  });

  test("has conditions that are no class on top, in the order of the text, and duplicates of a class", async () => {
    const { find, all, store } = await mounted(WEIGHTS, ClassTable);
    const [cross] = store.clauses.value;
    if (cross === undefined) throw new Error("no clause");
    const odd = { ...cross, expression: "loss > 2", label: "loss > 2", class_index: null };
    store.clauses.value = [cross, odd, cross, ...store.clauses.value.slice(3)];
    await settled();
    const conditions = all("[data-kind=condition]").map((one) => one.dataset.class);
    expect(conditions).toEqual(["loss > 2", "Star", "everything else"]);
    expect(find(`${row("loss > 2")} .penstock-row-name`).classList).toContain("penstock-mono");
  });

  test("does not change in the middle of a drag, and does on release", async () => {
    const table = await mounted(WEIGHTS, ClassTable);
    await sortBy(table, "weight");
    const before = order(table);
    const input = table.find<HTMLInputElement>(slider("Star"));
    slide(input, 1000);
    await settled();
    expect(order(table)).toEqual(before);
    input.dispatchEvent(new Event("change", { bubbles: true }));
    await vi.waitFor(() => expect(order(table).slice(1, 4)).toEqual(["Star", "Cross", "Ring"]));
  });

  test("keeps a row in place while keys move its weight, and follows when focus leaves", async () => {
    const table = await mounted(WEIGHTS, ClassTable);
    await sortBy(table, "weight");
    const input = table.find(slider("Star"));
    input.focus();
    press(input, "End");
    await settled();
    expect(order(table).slice(1, 4)).toEqual(["Cross", "Ring", "Star"]);
    table.find(slider("Ring")).focus();
    await settled();
    expect(order(table).slice(1, 4)).toEqual(["Star", "Cross", "Ring"]);
    expect(document.activeElement).toBe(table.find(slider("Ring")));
  });

  test("does not pin what a preset weighed; a later change by hand does", async () => {
    const table = await mounted({}, ClassTable);
    void table.store.actions.preset("balanced");
    await settled();
    const before = table.store.clauses.value;
    await answer(table, { 5: 30, 4: 13, 0: 1.5 });
    tunerState(table.store).keepLocked(before);
    await settled();
    expect(order(table)).toEqual(["everything else", "Cross", "Ring", "Star", "Triangle", "Square", "Circle"]);
    const input = table.find<HTMLInputElement>(slider("Circle"));
    slide(input, 800);
    input.dispatchEvent(new Event("change", { bubbles: true }));
    await vi.waitFor(() => expect(order(table)[1]).toBe("Circle"));
  });
});

describe("a search", () => {
  test("keeps conditions and the order", async () => {
    const table = await mounted(WEIGHTS, ClassTable);
    await search(table, " R ");
    expect(order(table)).toEqual(["everything else", "Cross", "Ring", "Star", "Triangle", "Square", "Circle"]);
    await search(table, "ri");
    expect(order(table)).toEqual(["everything else", "Ring", "Triangle"]);
  });

  test("that finds nothing says so, and Escape ends it", async () => {
    const table = await mounted(WEIGHTS, ClassTable);
    await search(table, "zebra");
    expect(table.find(".penstock-no-classes").textContent).toBe("No class matches “zebra”.");
    press(table.find("[data-testid=penstock-find-class]"), "Escape");
    await settled();
    expect(order(table)).toHaveLength(7);
  });
});

describe("1,203 classes", { timeout: 20_000 }, () => {
  const names = Array.from({ length: 1203 }, (_, i) => `class ${i}`);
  const strata = (clauseOf: Map<number, number>, fallback: number | null) =>
    names.map((_, i) => ({
      size: 2000 - i,
      clauses: [...(clauseOf.has(i) ? [clauseOf.get(i) as number] : []), fallback as number],
      classes: { [i]: 2000 - i },
    }));
  const lvis = { names, strata, weights: { 900: 50 } };

  test("are all rows, of which those in view are drawn", async () => {
    const { all, find } = await mounted(lvis, ClassTable);
    expect(find("[role=table]").getAttribute("aria-rowcount")).toBe("1205"); // with the head and the condition
    expect(find(".penstock-table-rows").style.height).toBe(`${1204 * 28}px`);
    const rows = all("[data-testid=penstock-class-row]");
    expect(rows.length).toBeLessThan(40);
    expect(rows.slice(0, 3).map((one) => one.dataset.class)).toEqual(["everything else", "class 900", "class 1202"]);
  });

  test("are reached by a scroll, and the row with focus stays", async () => {
    const { all, find } = await mounted(lvis, ClassTable);
    const input = find(slider("class 900"));
    input.focus();
    const table = find("[role=table]");
    table.scrollTop = 600 * 28;
    table.dispatchEvent(new Event("scroll"));
    await settled();
    const rows = all("[data-testid=penstock-class-row]").map((one) => Number(one.getAttribute("aria-rowindex")) - 2);
    expect(rows).toContain(600);
    expect(document.activeElement).toBe(input);
  });

  test("take the view along to the top, where a row goes that a drag has weighed", async () => {
    const mountedTable = await mounted(lvis, ClassTable);
    const { find } = mountedTable;
    const table = find("[role=table]");
    table.scrollTop = 600 * 28;
    table.dispatchEvent(new Event("scroll"));
    await settled();
    const name = `class ${1202 - 600}`;
    const input = find<HTMLInputElement>(slider(name));
    input.focus();
    slide(input, 800);
    input.dispatchEvent(new Event("change", { bubbles: true }));
    await settled();
    await answer(mountedTable, { 900: 50, 602: 15.8 }, { names, strata });
    await vi.waitFor(() => expect(table.scrollTop).toBeLessThanOrEqual(2 * 28));
    expect(document.activeElement).toBe(input);
  });

  test("are walked to the last by keys", async () => {
    const { find } = await mounted(lvis, ClassTable);
    const name = find(`${row("everything else")} [data-cell=name]`);
    name.focus();
    press(name, "End");
    await vi.waitFor(() => expect(document.activeElement?.textContent).toBe("class 0"));
    press(document.activeElement as HTMLElement, "ArrowUp");
    await vi.waitFor(() => expect(document.activeElement?.textContent).toBe("class 1"));
  });

  test("are found by name", async () => {
    const table = await mounted(lvis, ClassTable);
    await search(table, "class 77");
    const tens = Array.from({ length: 10 }, (_, i) => `class ${779 - i}`);
    expect(order(table)).toEqual(["everything else", ...tens, "class 77"]);
  });
});

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

describe("the sentence", () => {
  test("names Weigh and Export before the first weight", async () => {
    const table = await mounted({}, ClassTable);
    expect(sentence(table)).toMatch(/^Weigh: drag a slider, or start from Balance\. Export then writes/);
  });

  test("tells a class nobody named with its factor against raw, what the others did, and the clause that carried it", async () => {
    const table = await mounted({ weights: { 3: 6 } }, ClassTable);
    const total = 600 + 5 * 54; // 54 rows with a star
    const dilution = 600 / total;
    const squares = (140 + 6 * 68) * dilution; // 34 rows with two squares come six times as often
    expect(Number(table.find("[data-testid=lift]").dataset.dilution)).toBeCloseTo(dilution, 9);
    const factor = (squares / 208).toFixed(2);
    const told = `Square rises 208 → ${Math.round(squares)} (×${factor}): others ×${dilution.toFixed(2)}; carried by Star.`;
    expect(sentence(table)).toContain(told);
  });

  test("counts others as it counts classes where an epoch is shorter than the pool", async () => {
    const table = await mounted({ weights: { 3: 6 }, draws: 300 }, ClassTable);
    const others = 300 / (600 + 5 * 54);
    const squares = (140 + 6 * 68) * others;
    const told = `Square falls 208 → ${Math.round(squares)} (×${(squares / 208).toFixed(2)}): others ×${others.toFixed(2)}; carried by Star.`;
    expect(sentence(table)).toContain(told);
  });

  test("tells what moves where no other row is drawn", async () => {
    const strata = (clauseOf: Map<number, number>, fallback: number | null) => [
      { size: 500, clauses: [fallback as number], classes: { 0: 500 } },
      { size: 100, clauses: [clauseOf.get(1) as number], classes: { 0: 50, 1: 100 } },
    ];
    const table = await mounted({ names: ["a", "b"], weights: { 1: 9 }, everythingElse: 0, strata }, ClassTable);
    expect(sentence(table)).toMatch(/^a falls 550 → 300 \(×0\.55\): others never drawn; carried by b\./);
  });

  test("tells what moves against raw where clauses name every row", async () => {
    const strata = (clauseOf: Map<number, number>) => [
      { size: 300, clauses: [clauseOf.get(1) as number], classes: { 0: 100, 1: 300 } },
      { size: 300, clauses: [clauseOf.get(2) as number], classes: { 2: 300 } },
    ];
    const table = await mounted(
      { names: ["a", "b", "c"], weights: { 1: 5, 2: 1 }, everythingElse: null, strata },
      ClassTable,
    );
    expect(sentence(table)).toMatch(/^a rises 100 → 167 \(×1\.67\); carried by b\.\s*$/);
  });

  test("tells two classes and how many more, which a press sorts to the top", async () => {
    const strata = (clauseOf: Map<number, number>, fallback: number | null) => [
      { size: 500, clauses: [fallback as number], classes: { 0: 500, 1: 200, 2: 200, 3: 200 } },
      {
        size: 100,
        clauses: [clauseOf.get(4) as number, fallback as number],
        classes: { 1: 100, 2: 90, 3: 80, 4: 100 },
      },
    ];
    const table = await mounted({ names: ["a", "b", "c", "d", "e"], weights: { 4: 9 }, strata }, ClassTable);
    expect(sentence(table)).toMatch(/^b rises .* c rises .*1 more$/);
    table.find("[data-testid=penstock-sentence] button").click();
    await settled();
    expect(table.find<HTMLSelectElement>("[data-testid=sort]").value).toBe("moved");
  });

  test("compares with before the drag after a drag on a preset", async () => {
    const table = await mounted(WEIGHTS, ClassTable);
    tunerState(table.store).keepLocked([]);
    const was = Number(table.find(bar("Cross")).dataset.sampled);
    slide(table.find<HTMLInputElement>(slider("Cross")), 1000);
    await settled();
    const is = Number(table.find(bar("Cross")).dataset.sampled);
    const own = `This drag: Cross ${Math.round(was)} → ${Math.round(is)} (×${(is / was).toFixed(2)}). `;
    await vi.waitFor(() => expect(sentence(table)).toContain(own));
    tunerState(table.store).keepLocked([]); // another preset
    table.store.actions.setWeight(0, 6.1);
    await vi.waitFor(() => expect(sentence(table)).not.toContain("This drag"));
  });

  test("says that nothing can be drawn where all weights are 0", async () => {
    const table = await mounted({ weights: { 5: 0 }, everythingElse: 0 }, ClassTable);
    expect(sentence(table)).toContain("Nothing can be drawn");
    expect(table.all("[data-testid=bar]").map((one) => one.dataset.sampled)).toEqual(Array(7).fill("0"));
  });

  test("says that weights change nothing where each row is drawn once", async () => {
    const table = await mounted({ weights: { 5: 20 }, everythingElse: 0, mode: "once" }, ClassTable);
    expect(sentence(table)).toContain("Weights change nothing unless limit asks for fewer");
  });

  test("says that weights of an array have no sliders", async () => {
    const table = await mounted(WEIGHTS, ClassTable);
    table.store.clauses.value = [];
    await settled();
    expect(sentence(table)).toContain("so it has no sliders");
    expect(table.all<HTMLInputElement>("[data-testid=weight-slider]").every((input) => input.disabled)).toBe(true);
  });
});

describe("a condition", () => {
  test("`True` has the rows no other clause matches", async () => {
    const { find } = await mounted({ weights: { 5: 20 } }, ClassTable);
    const total = 588 + 20 * 12;
    expect(find(bar("everything else")).dataset.raw).toBe("588");
    expect(Number(find(bar("everything else")).dataset.sampled)).toBeCloseTo((600 * 588) / total, 8);
  });

  test("without weights is every sample", async () => {
    const table = await mounted({}, ClassTable);
    expect(counts(table, "every sample")).toBe("600→600");
  });

  test("without class labels has the rows it matches", async () => {
    const strata = () => [
      { size: 90, clauses: [1] },
      { size: 10, clauses: [0, 1] },
    ];
    const { all } = await mounted({ names: [], weights: { 0: 9 }, strata }, ClassTable);
    const bars = all("[data-testid=bar]").map((one) => [one.dataset.raw, one.dataset.sampled]);
    expect(bars).toEqual([
      ["10", "50"],
      ["90", "50"],
    ]);
  });

  test("for samples without a label is where samples are counted", async () => {
    const { find, all, store } = await mounted({ weights: { 5: 20 } }, ClassTable);
    const statistics = store.statistics.value;
    if (statistics === null) throw new Error("no statistics");
    const unlabeled = new Float64Array(statistics.sizes.length);
    unlabeled[0] = 30; // of the rows no clause but the last matches
    store.statistics.value = { ...statistics, unlabeled };
    await settled();
    expect(all(bar("no label"))).toEqual([]);
    store.actions.setUnit("samples");
    await settled();
    expect(find(bar("no label")).dataset.raw).toBe("30");
    expect(Number(find(bar("no label")).dataset.sampled)).toBeCloseTo((600 * 30) / (588 + 20 * 12), 8);
  });
});

describe("a name", () => {
  const asked = ({ model }: Mounted) => model.sent.findLast(({ op }) => op === "grid.filter");
  async function filtered(table: Mounted, ...classes: number[]): Promise<void> {
    const grid = { ...gridState(54), filter: { classes, how: "any" as const, states: [] } };
    table.model.reply(asked(table)?.id ?? "", { grid });
    await settled();
  }

  test("filters the grid, and shows all again the second time", async () => {
    const table = await mounted({}, ClassTable);
    const name = () => table.find(`${row("Star")} [data-cell=name]`);
    name().click();
    expect(asked(table)?.args).toMatchObject({ classes: [3] });
    await filtered(table, 3);
    expect(name().getAttribute("aria-pressed")).toBe("true");
    expect(table.find(row("Star")).classList).toContain("penstock-filtered");
    press(name(), "Enter");
    expect(asked(table)?.args).toMatchObject({ classes: [] });
  });

  test.each(["shiftKey", "ctrlKey", "metaKey"])("joins the classes that are shown with %s", async (key) => {
    const table = await mounted({}, ClassTable);
    table.find(`${row("Star")} [data-cell=name]`).click();
    await filtered(table, 3);
    const init = { bubbles: true, [key]: true };
    table.find(`${row("Ring")} [data-cell=name]`).dispatchEvent(new MouseEvent("click", init));
    expect(asked(table)?.args).toMatchObject({ classes: [3, 4] });
    await filtered(table, 3, 4);
    expect(table.all(".penstock-filtered").map((one) => one.dataset.class)).toEqual(["Ring", "Star"]);
    table.find(bar("Ring")).click();
    expect(asked(table)?.args).toMatchObject({ classes: [4] });
  });

  test("joins and leaves the classes that are shown with Shift", async () => {
    const { find, store } = await mounted({}, ClassTable);
    const shift = (name: string) =>
      find(`${row(name)} [data-cell=name]`).dispatchEvent(new MouseEvent("click", { bubbles: true, shiftKey: true }));
    for (const [name, shown] of [
      ["Star", [3]],
      ["Ring", [3, 4]],
      ["Star", [4]],
    ] as const) {
      shift(name);
      await settled();
      expect(store.filter.value.classes).toEqual(shown);
    }
  });

  test("does not ask a kernel that is gone", async () => {
    const { find, store, model } = await mounted({}, ClassTable);
    store.link.value = "dead";
    await settled();
    const before = model.sent.length;
    find(`${row("Star")} [data-cell=name]`).click();
    expect(model.sent.length).toBe(before);
  });

  test("is struck through where the eye hides the boxes of its class", async () => {
    const { find, store } = await mounted({}, ClassTable);
    const eye = find(`${row("Ring")} [data-testid=penstock-eye]`);
    eye.click();
    await settled();
    expect([...store.hiddenClasses.value]).toEqual([4]);
    expect(find(row("Ring")).classList).toContain("penstock-off");
    expect(eye.getAttribute("aria-pressed")).toBe("true");
  });
});

describe("the menu of a row", () => {
  async function menu({ find }: Mounted, name: string): Promise<HTMLElement> {
    const button = find(`${row(name)} [data-cell=more]`);
    const panel = button.nextElementSibling as HTMLElement;
    panel.dispatchEvent(Object.assign(new Event("toggle"), { newState: "open" })); // happy-dom opens no popover
    await settled();
    return panel;
  }

  test("locks and unlocks the weight", async () => {
    const table = await mounted(WEIGHTS, ClassTable);
    (await menu(table, "Ring")).querySelector<HTMLElement>("[data-testid=weight-lock]")?.click();
    await settled();
    expect(table.find<HTMLInputElement>(slider("Ring")).disabled).toBe(true);
    expect(table.find<HTMLInputElement>(slider("Cross")).disabled).toBe(false);
    expect(table.find(`${row("Ring")} [aria-label=locked]`)).toBeDefined();
  });

  test("removes the clause of a class and of a condition", async () => {
    const table = await mounted(WEIGHTS, ClassTable);
    (await menu(table, "everything else")).querySelector<HTMLElement>("[data-testid=weight-remove]")?.click();
    await settled();
    expect(table.model.sent.at(-1)).toMatchObject({ op: "clause.remove", args: { clause: 3 } });
  });

  test("has the tools of the class beside those of its weight", async () => {
    const table = await mounted(WEIGHTS, ClassTable);
    const ids = (panel: HTMLElement) =>
      [...panel.querySelectorAll<HTMLElement>("[role=menuitem]")].map((one) => one.dataset.testid?.split("-").at(-1));
    expect(ids(await menu(table, "Ring"))).toEqual([
      "lock",
      "solo",
      "text",
      "remove",
      "rename",
      "merge",
      "color",
      "delete",
    ]);
    expect(ids(await menu(table, "Circle"))).toEqual(["rename", "merge", "color", "delete"]);
  });

  test("solo sets the others to 0, locked ones excepted, and ends where it began", async () => {
    const { store } = await mounted(WEIGHTS, ClassTable);
    const state = tunerState(store);
    state.toggleLock("contains(labels, 'Ring')");
    state.toggleSolo(2);
    expect([...store.weights.value]).toEqual([0, 8, 20, 0]);
    state.toggleSolo(2);
    expect([...store.weights.value]).toEqual([6, 8, 20, 1]);
  });
});

describe("keys", () => {
  test("Ctrl+Z acts on weights in a row, on the text in the search and in the menu of a class", async () => {
    const { find } = await mounted(WEIGHTS, ClassTable);
    expect(undoKind(find(slider("Cross")))).toBe("weights");
    expect(undoKind(find(field("Cross")))).toBe("weights");
    expect(undoKind(find("[data-testid=penstock-find-class]"))).toBe("text");
    const typed = document.createElement("input");
    find(`${row("Cross")} .penstock-popover`).append(typed);
    expect(undoKind(typed)).toBe("text");
  });

  test("have one row in the tab order", async () => {
    const { all } = await mounted(WEIGHTS, ClassTable);
    const rows = new Set(
      all(".penstock-table-rows [tabindex='0']").map((one) => one.closest<HTMLElement>("[data-key]")?.dataset.class),
    );
    expect([...rows]).toEqual(["everything else"]);
    const bare = all(".penstock-table-rows :is(button, input):not([tabindex])");
    expect(bare).toEqual([]);
  });

  test.each(["slider", "number", "name"])("up and down go to the %s of the next row", async (cell) => {
    const { find } = await mounted(WEIGHTS, ClassTable);
    const from = find(`${row("Cross")} [data-cell=${cell}]`);
    from.focus();
    press(from, "ArrowDown");
    expect(document.activeElement).toBe(find(`${row("Ring")} [data-cell=${cell}]`));
    press(document.activeElement as HTMLElement, "ArrowUp");
    expect(document.activeElement).toBe(from);
    await settled();
    expect(from.tabIndex).toBe(0);
  });

  test("stop at the first row, and skip to the name where a row lacks the cell", async () => {
    const { find } = await mounted(WEIGHTS, ClassTable);
    const eye = find(`${row("Cross")} [data-cell=eye]`);
    eye.focus();
    press(eye, "ArrowUp");
    const name = find(`${row("everything else")} [data-cell=name]`);
    expect(document.activeElement).toBe(name);
    press(name, "ArrowUp");
    expect(document.activeElement).toBe(name);
  });

  test("are kept from the notebook by every element that takes focus", async () => {
    const { all } = await mounted(WEIGHTS, ClassTable);
    expect(all(FOCUSABLE_SELECTOR).filter((one) => one.dataset.lmSuppressShortcuts !== "true")).toEqual([]);
  });
});

test("the scale is logarithmic by itself where the longest bar is 500 times that of the rarest class", async () => {
  const strata = (most: number) => () => [
    { size: most, clauses: [0], classes: { 0: most, 1: 10 } },
    { size: 1, clauses: [0], classes: {} },
  ];
  const few = await mounted({ names: ["a", "b"], strata: strata(4990) }, ClassTable);
  expect(few.find("[data-testid=log]").getAttribute("aria-pressed")).toBe("false");
  const many = await mounted({ names: ["a", "b"], strata: strata(5000) }, ClassTable);
  expect(many.find("[data-testid=log]").getAttribute("aria-pressed")).toBe("true");
  many.find("[data-testid=log]").click();
  await settled();
  expect(many.find("[data-testid=log]").getAttribute("aria-pressed")).toBe("false");
});

test("columns have the widths of the layout, and the slider goes above the bars in one column", () => {
  const widths = (width: number, long = false) => {
    const { slider: s, bars, text, height } = columnsFor(width, long);
    return [s, bars, text, height];
  };
  expect(widths(568)).toEqual([100, 132, 84, 28]);
  expect(widths(492)).toEqual([84, 92, 84, 28]);
  expect(widths(460)).toEqual([68, 76, 84, 28]);
  expect(widths(568, true)).toEqual([100, 124, 92, 28]);
  expect(widths(492, true)).toEqual([84, 84, 92, 28]);
  expect(widths(460, true)).toEqual([68, 68, 92, 28]);
  expect(columnsFor(420, false)).toMatchObject({ stacked: true, height: 48, bars: 272 });
});

test("a notebook opened without a kernel shows the figures kept in it", async () => {
  const table = await mounted({}, ClassTable, CoverageStrip);
  const { store, find } = table;
  store.query.value = null;
  store.statistics.value = null;
  store.link.value = "dead";
  store.snapshot.value = {
    dataset: { name: "shapes", version: "3f2a9c", num_samples: 600 },
    query: "select *",
    pool_size: 600,
    draws: 600,
    mode: "iid",
    seed: 0,
    unit: "instances",
    bars: [{ name: "Cross", class_index: 5, raw: 12, expected: 141, low: 120, high: 162 }],
    coverage: [0, 0.56, 0.8].map((share) => ({ share, low: share, high: share })),
  };
  await settled();
  expect(order(table)).toEqual(["every sample", "Cross"]);
  expect(counts(table, "Cross")).toBe("12→141");
  expect(find<HTMLInputElement>(slider("Cross")).disabled).toBe(true);
});

test("a pool without rows has bars of nothing", async () => {
  const strata = () => [];
  const { all, root } = await mounted({ weights: { 5: 20 }, strata, draws: 0 }, ClassTable);
  expect(all("[data-testid=bar]").map((one) => one.dataset.sampled)).toEqual(Array(7).fill("0"));
  expect(root.textContent).not.toMatch(/NaN|Infinity|undefined/);
});

describe("what a sentence says of a class", () => {
  test.each([
    [{ from: 372, to: 373 }, "stays at 373"],
    [{ from: 131, to: 177 }, "rises 131 → 177 (×1.35)"],
    [{ from: 412, to: 321 }, "falls 412 → 321 (×0.78)"],
    [{ from: 100, to: 101 }, "rises 100 → 101 (×1.01)"],
    [{ from: 0, to: 0 }, "stays at 0"],
  ])("has no factor of 1", (figures, words) => {
    expect(moveText(figures)).toBe(words);
  });
});
