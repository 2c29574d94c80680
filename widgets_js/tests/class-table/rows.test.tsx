// What each row of the class table shows, and in which order, over a scripted kernel.
import { describe, expect, test, vi } from "vitest";
import { settled } from "../../dev/scripted-kernel.ts";
import { ClassTable } from "../../src/class-table/class-table.tsx";
import { columnsFor } from "../../src/class-table/columns.ts";
import { tunerState } from "../../src/class-table/tuner-state.ts";
import { CoverageStrip } from "../../src/coverage/coverage-strip.tsx";
import { mounted, press, slide, wait } from "../charts/mounted.tsx";
import { answer, bar, counts, field, order, RAW, row, search, slider, sortBy, WEIGHTS } from "./the-table.ts";

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
