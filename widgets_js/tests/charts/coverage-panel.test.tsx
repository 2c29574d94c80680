import { describe, expect, test } from "vitest";
import { settled } from "../../dev/scripted-kernel.ts";
import { BatchesPanel } from "../../src/batches/batches-panel.tsx";
import { CoveragePanel } from "../../src/coverage/coverage-panel.tsx";
import { labelPlaces } from "../../src/coverage/label-places.ts";
import { mounted, wait } from "./mounted.tsx";

/** The article's set: 165 rows of one class, 10 of the other, each half of the draws. */
const ARTICLE = {
  names: ["many", "few"],
  weights: { 0: 10, 1: 165 },
  everythingElse: null,
  strata: () => [
    { size: 165, clauses: [0], classes: { 0: 165 } },
    { size: 10, clauses: [1], classes: { 1: 10 } },
  ],
};
const value = (found: HTMLElement) => found.dataset.value;

describe("coverage of the article's set", () => {
  test("its three figures", async () => {
    const { find } = await mounted(ARTICLE, CoveragePanel);
    expect(Number(value(find("[data-testid=seen-epoch-1]"))) * 175).toBeCloseTo(77.99, 2);
    expect(value(find("[data-testid=deck-all]"))).toBe("2");
    expect(find("[data-testid=iid-all]").textContent).toContain("11 · 16");
  });

  test("a curve a mode", async () => {
    const { find } = await mounted(ARTICLE, CoveragePanel);
    const shares = (mode: string) =>
      (find(`[data-testid=curve-${mode}]`).dataset.shares ?? "")
        .split(" ")
        .map((share) => Number((Number(share) * 175).toFixed(6)));
    expect(shares("iid")).toHaveLength(21);
    expect(shares("iid")[5]).toBeCloseTo(163.41, 2);
    expect(shares("deck").slice(0, 3)).toEqual([0, 98, 175]);
    expect(shares("once").slice(0, 2)).toEqual([0, 175]);
  });

  test("epochs until 90, 95, 99 and 100 % are seen", async () => {
    const { find } = await mounted(ARTICLE, CoveragePanel);
    const details = find<HTMLDetailsElement>("details");
    details.open = true;
    details.dispatchEvent(new Event("toggle"));
    await settled();
    const rows = [...find("[data-testid=cover-table] tbody").children].map((row) =>
      [...row.children].map((cell) => cell.textContent),
    );
    expect(rows.map((row) => row[0])).toEqual(["90%", "95%", "99%", "100%"]);
    expect(rows[3]).toEqual(["100%", "2", "11", "16"]);
  });

  test("times seen: a share of each class is never drawn", async () => {
    const { find, all } = await mounted(ARTICLE, CoveragePanel);
    find<HTMLInputElement>("[data-testid=coverage-view] input[value=times]").click();
    await settled();
    const unseen = Object.fromEntries(
      all("[data-testid=ecdf]").map((path) => [path.dataset.class, Number(path.dataset.unseen)]),
    );
    expect(unseen.many).toBeCloseTo((1 - 1 / 330) ** 175, 9);
    expect(unseen.few).toBeCloseTo((1 - 1 / 20) ** 175, 9);
    expect(unseen[""]).toBeCloseTo(97.01 / 175, 4);
  });
});

test("rows that can never be drawn: the ceiling is named, shares are of the pool, and of samples that can be drawn on demand", async () => {
  const { find } = await mounted({ weights: { 5: 20 }, everythingElse: 0 }, CoveragePanel);
  expect(Number(find("[data-testid=ceiling]").dataset.share)).toBeCloseTo(12 / 600, 12);
  expect(find("[data-testid=ceiling-note]").textContent).toContain("12 of 600 samples can be drawn");
  expect(find("[data-testid=deck-all]").textContent).toContain("never");
  expect(find("[data-testid=iid-all]").textContent).toContain("never");
  find("[data-testid=ceiling-note] button").click();
  await settled();
  expect(value(find("[data-testid=deck-all]"))).toBe("1");
  expect(Number(value(find("[data-testid=seen-epoch-1]")))).toBeCloseTo(1, 9);
});

describe("dots from the loader's own stream", () => {
  test("are asked for once at rest, and marked stale by the next change", async () => {
    const { store, model, find, all } = await mounted({ weights: { 5: 20 } }, CoveragePanel);
    store.actions.setWeight(0, 10);
    store.actions.setWeight(0, 12);
    await wait(220);
    const asked = model.sent.filter(({ op }) => op === "plan.drawn");
    expect(asked.map(({ args }) => [args.weights, args.mode, args.num_epochs])).toEqual([[[12, 1], "iid", 8]]);
    model.reply(asked[0]?.id ?? "", { unique: [330, 470, 530], counts: [] });
    await settled();
    expect(all("[data-testid=drawn-dot]").map((dot) => dot.dataset.unique)).toEqual(["330", "470", "530"]);
    expect(find("[data-testid=drawn]").dataset.stale).toBe("false");
    store.actions.setWeight(0, 20);
    await settled();
    expect(find("[data-testid=drawn]").dataset.stale).toBe("true");
  });

  test("no kernel, no dots, and the curves stay", async () => {
    const { store, model, find, all } = await mounted({ weights: { 5: 20 } }, CoveragePanel);
    store.link.value = "static";
    store.actions.setWeight(0, 3);
    await wait(220);
    expect(model.sent.filter(({ op }) => op === "plan.drawn")).toEqual([]);
    expect(all("[data-testid=drawn-dot]")).toEqual([]);
    expect(find("[data-testid=curve-iid]").dataset.shares).toContain(" ");
  });
});

test("batches are asked for when they are opened, and stacked by class", async () => {
  const { find, all, model } = await mounted({ weights: { 5: 20 } }, BatchesPanel);
  await wait(200);
  expect(model.sent.filter(({ op }) => op === "plan.batches")).toEqual([]);
  const details = find<HTMLDetailsElement>("details");
  details.open = true;
  details.dispatchEvent(new Event("toggle"));
  await wait(200);
  const asked = model.sent.at(-1);
  expect(asked).toMatchObject({ op: "plan.batches", args: { batch_size: 64, num_batches: 10, weights: [20, 1] } });
  model.reply(asked?.id ?? "", {
    counts: [
      [40, 10, 0, 0, 0, 14],
      [50, 14, 0, 0, 0, 0],
    ],
  });
  await settled();
  expect(all("[data-testid=batch]").map((bar) => bar.getAttribute("aria-label"))).toEqual([
    "batch 0: Circle 40, Square 10, Cross 14",
    "batch 1: Circle 50, Square 14, Cross 0",
  ]);
  expect(all("[data-testid=batch] i[data-class=Cross]").map((part) => part.dataset.count)).toEqual(["14"]);
});

test("labels beside curves stay apart and inside", () => {
  expect(labelPlaces([8, 8, 8], 13, 8, 102)).toEqual([8, 21, 34]);
  expect(labelPlaces([100, 101, 50], 13, 8, 102)).toEqual([89, 102, 50]);
});
