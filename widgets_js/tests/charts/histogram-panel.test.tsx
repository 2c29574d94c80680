import { describe, expect, test } from "vitest";
import { gridState, SHAPES, settled } from "../../dev/scripted-kernel.ts";
import { HistogramPanel } from "../../src/class-table/histogram-panel.tsx";
import { CoveragePanel } from "../../src/coverage/coverage-panel.tsx";
import { mounted, wait } from "./mounted.tsx";

// Instances of the scripted rows: 180 + 140 + 60 + 12 + 11 + 9 circles, and so on by hand.
const RAW = { Circle: 412, Square: 60 + 60 + 68 + 20, Triangle: 60 + 51 + 20, Star: 34 + 12 + 8, Ring: 31, Cross: 12 };

describe("bars", () => {
  test("without weights what is drawn is what there is, without a band", async () => {
    const { all } = await mounted({}, HistogramPanel);
    for (const bar of all("[data-testid=bar]")) {
      const raw = String(RAW[bar.dataset.class as keyof typeof RAW]);
      expect([bar.dataset.raw, bar.dataset.sampled, bar.dataset.low, bar.dataset.high]).toEqual([raw, raw, raw, raw]);
    }
  });

  test("independent draws: mean and 95 % band from the closed form", async () => {
    const { find, store } = await mounted({ weights: { 5: 20 } }, HistogramPanel);
    const total = 588 + 20 * 12; // 600 rows, 12 of them with a cross
    const mean = (600 * 20 * 12) / total;
    const bar = find("[data-testid=bar][data-class=Cross]");
    expect(Number(bar.dataset.sampled)).toBeCloseTo(mean, 8);
    store.actions.setUnit("samples");
    const share = (20 * 12) / total;
    expect(Number(bar.dataset.high)).toBeCloseTo(mean + 1.959963984540054 * Math.sqrt(600 * share * (1 - share)), 8);
  });

  test("stand from the most frequent to the rarest, and in other orders on demand", async () => {
    const { find, all } = await mounted({ weights: { 5: 20, 4: 8 } }, HistogramPanel);
    const order = () => all("[data-testid=bar]").map((bar) => bar.dataset.class);
    expect(order()).toEqual(["Circle", "Square", "Triangle", "Star", "Ring", "Cross"]);
    const sort = find<HTMLSelectElement>("[data-testid=sort]");
    sort.value = "moved";
    sort.dispatchEvent(new Event("change", { bubbles: true }));
    await settled();
    expect(order().slice(0, 2)).toEqual(["Cross", "Ring"]);
  });

  test("a press filters the grid, a second one shows all again", async () => {
    const { find, store, model } = await mounted({}, HistogramPanel);
    find("[data-testid=bar][data-class=Star]").click();
    expect(model.sent.at(-1)).toMatchObject({ op: "grid.filter", args: { class_index: 3 } });
    model.reply(model.sent.at(-1)?.id ?? "", { grid: gridState(54, 3) });
    await settled();
    expect(store.classFilter.value).toBe(3);
    expect(find("[data-testid=bar][data-class=Star]").getAttribute("aria-pressed")).toBe("true");
    find("[data-testid=bar][data-class=Star]").click();
    expect(model.sent.at(-1)?.args).toEqual({ class_index: null });
  });

  test("samples without a label have a bar of their own where samples are counted", async () => {
    const { find, all, store } = await mounted({ weights: { 5: 20 } }, HistogramPanel);
    const statistics = store.statistics.value;
    if (statistics === null) throw new Error("no statistics");
    const unlabeled = new Float64Array(statistics.sizes.length);
    unlabeled[0] = 30; // of the rows no clause but the last matches
    store.statistics.value = { ...statistics, unlabeled };
    await settled();
    expect(all("[data-testid=bar][data-class='no label']")).toEqual([]);
    store.actions.setUnit("samples");
    await wait(200);
    const bar = find("[data-testid=bar][data-class='no label']");
    expect([bar.dataset.raw, bar.dataset.classIndex]).toEqual(["30", ""]);
    expect(Number(bar.dataset.sampled)).toBeCloseTo((600 * 30) / (588 + 20 * 12), 8);
  });

  test("the figures are in a table for screen readers", async () => {
    const { find } = await mounted({}, HistogramPanel);
    const rows = [...find("[data-testid=bars-table] tbody").children].map((row) =>
      [...row.children].map((cell) => cell.textContent),
    );
    expect(rows[0]).toEqual(["Circle", "412", "412", "412", "412"]);
    expect(rows).toHaveLength(SHAPES.length);
  });

  test("hover tells the numbers", async () => {
    const { find } = await mounted({ weights: { 5: 20 } }, HistogramPanel);
    find("[data-testid=bar][data-class=Cross]").dispatchEvent(new Event("focus"));
    await settled();
    expect(find("[data-testid=bar-numbers]").textContent).toMatch(/Cross.*raw12.*sampled174.*×14\.5 per epoch/);
  });
});

describe("sentences", () => {
  test("a class nobody named is told with the clause that carried it, and the dilution of all others", async () => {
    const { find } = await mounted({ weights: { 3: 6 } }, HistogramPanel);
    const total = 600 + 5 * 54; // 54 rows with a star
    const dilution = 600 / total;
    const squares = (140 + 6 * 68) / 208; // against rows no clause names: 34 rows with two squares come six times
    const lift = find("[data-testid=lift]");
    expect(Number(lift.dataset.dilution)).toBeCloseTo(dilution, 9);
    expect(lift.textContent).toContain(`Also drawn more often: Square ×${squares.toFixed(1)} (with Star)`);
    expect(lift.textContent).toContain(`All others: ×${dilution.toFixed(2)}`);
    expect(find("[data-testid=seen]").textContent).toBe(`${(6 * dilution).toFixed(1)}×`);
  });

  test("all weights 0: nothing can be drawn, and nothing fails", async () => {
    const { find, all } = await mounted({ weights: { 5: 0 }, everythingElse: 0 }, HistogramPanel, CoveragePanel);
    expect(find("[data-testid=nothing-drawn]").textContent).toContain("Nothing can be drawn");
    expect(all("[data-testid=bar]").map((bar) => bar.dataset.sampled)).toEqual(["0", "0", "0", "0", "0", "0"]);
  });
});

test("1,203 classes: those weighed, the 20 most moved, and what a search finds", async () => {
  const names = Array.from({ length: 1203 }, (_, i) => `class ${i}`);
  const strata = (clauseOf: Map<number, number>, fallback: number | null) =>
    names.map((_, i) => ({
      size: 2000 - i,
      clauses: [...(clauseOf.has(i) ? [clauseOf.get(i) as number] : []), fallback as number],
      classes: { [i]: 2000 - i },
    }));
  const { find, all } = await mounted({ names, weights: { 900: 50 }, strata }, HistogramPanel);
  const shown = all("[data-testid=bar]").map((bar) => bar.dataset.class);
  expect(shown).toHaveLength(21);
  expect(shown).toContain("class 900");
  const search = find<HTMLInputElement>("[data-testid=bar-search]");
  search.value = "class 77";
  search.dispatchEvent(new Event("input", { bubbles: true }));
  await settled();
  expect(all("[data-testid=bar]").map((bar) => bar.dataset.class)).toEqual([
    "class 77",
    ...Array.from({ length: 10 }, (_, i) => `class ${770 + i}`),
  ]);
});

test("without class labels the bars are those of the clauses", async () => {
  const strata = () => [
    { size: 90, clauses: [1] },
    { size: 10, clauses: [0, 1] },
  ];
  const { all, find } = await mounted({ names: [], weights: { 0: 9 }, strata }, HistogramPanel);
  const bars = all("[data-testid=bar]").map((bar) => [bar.dataset.raw, bar.dataset.sampled]);
  expect(bars).toEqual([
    ["100", "100"],
    ["10", "50"],
  ]);
  expect(find("[data-testid=histogram]").textContent).toContain("samples · an epoch of 100 draws");
});

test("a notebook opened without a kernel shows the figures kept in it", async () => {
  const { store, all, find } = await mounted({}, HistogramPanel, CoveragePanel);
  store.statistics.value = null;
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
  await wait(50);
  expect(all("[data-testid=bar]").map((bar) => [bar.dataset.class, bar.dataset.sampled])).toEqual([["Cross", "141"]]);
  expect(find("[data-testid=curve-iid]").dataset.shares).toBe("0 0.56 0.8");
});

test("what the loader's own stream drew is marked on the bars, for these weights and this unit only", async () => {
  const { store, model, find } = await mounted({ weights: { 5: 20 } }, HistogramPanel, CoveragePanel);
  const mark = () => find("[data-testid=bar][data-class=Cross]").dataset.drawn;
  await wait(200);
  const asked = model.sent.filter(({ op }) => op === "plan.drawn");
  expect(asked).toHaveLength(1); // one question for both panels
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

test("drawing each row once, weights order nothing, and the panel says so", async () => {
  const { find } = await mounted({ weights: { 5: 20 }, everythingElse: 0, mode: "once" }, HistogramPanel);
  expect(find("[data-testid=lift]").textContent).toContain("Weights change nothing unless limit asks for fewer");
  expect(find("[data-testid=histogram]").textContent).toContain("an epoch of 12 draws, 600 requested");
});

test("a pool without rows has bars of nothing and no sentence", async () => {
  const strata = () => [];
  const { all, root } = await mounted({ weights: { 5: 20 }, strata, draws: 0 }, HistogramPanel, CoveragePanel);
  expect(all("[data-testid=bar]").map((bar) => bar.dataset.sampled)).toEqual(["0", "0", "0", "0", "0", "0"]);
  expect(root.textContent).not.toMatch(/NaN|Infinity|undefined/);
  expect(all("[data-testid=coverage]")).toEqual([]);
});
