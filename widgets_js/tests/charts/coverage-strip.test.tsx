import { describe, expect, test, vi } from "vitest";
import { settled } from "../../dev/scripted-kernel.ts";
import { batchesText } from "../../src/batches/batches-text.ts";
import { timesText } from "../../src/coverage/cover-text.ts";
import { pointsUpTo } from "../../src/coverage/coverage-curves.ts";
import { CoverageStrip } from "../../src/coverage/coverage-strip.tsx";
import "../../src/batches/batches-tab.tsx"; // loaded when first needed, here at once
import "../../src/coverage/cover-table.tsx";
import "../../src/coverage/times-tab.tsx";
import type { Session } from "../../src/session/session.ts";
import { labelPlaces } from "../../src/ui/label-places.ts";
import { mounted, press, wait } from "./mounted.tsx";

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
const Alone = ({ session }: { session: Session }) => <CoverageStrip session={session} alone />;
const says = (root: HTMLElement) => root.querySelector("[data-testid=coverage-says]")?.textContent ?? "";

describe("coverage of the article's set", () => {
  test("one headline and one sentence", async () => {
    const { root, find } = await mounted(ARTICLE, CoverageStrip);
    expect(Number(value(find("[data-testid=seen-epoch-1]"))) * 175).toBeCloseTo(77.99, 2);
    expect(says(root)).toBe("One epoch sees 45%.All seen by epoch 11 (half of runs), 16 (95%); deck: 2, guaranteed.");
  });

  test("the deck comes first where it is chosen", async () => {
    const { root } = await mounted({ ...ARTICLE, mode: "deck" }, CoverageStrip);
    expect(says(root)).toBe("One epoch sees 56%.All seen by epoch 2, guaranteed; iid: 11 (half of runs), 16 (95%).");
  });

  test("the chosen mode's curve beside the deck's, up to past the last mark", async () => {
    const { find, all } = await mounted(ARTICLE, CoverageStrip);
    const shares = (mode: string) =>
      (find(`[data-testid=curve-${mode}]`).dataset.shares ?? "")
        .split(" ")
        .map((share) => Number((Number(share) * 175).toFixed(6)));
    expect(shares("iid")).toHaveLength(19); // 0, then epochs to 1.12 times 16
    expect(shares("iid")[5]).toBeCloseTo(163.41, 2);
    expect(shares("deck").slice(0, 3)).toEqual([0, 98, 175]);
    expect(all("[data-testid=curve-once]")).toEqual([]);
    expect(all("[data-testid=cover-mark]").map((mark) => mark.dataset.epoch)).toEqual(["11", "16"]);
  });

  test("alone it has a table of epochs until 90, 95, 99 and 100% are seen", async () => {
    const { find } = await mounted(ARTICLE, Alone);
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
    const { root, find, all } = await mounted(ARTICLE, CoverageStrip);
    find("[data-tab=times]").click();
    await settled();
    const unseen = Object.fromEntries(
      all("[data-testid=ecdf]").map((path) => [path.dataset.class, Number(path.dataset.unseen)]),
    );
    expect(unseen.many).toBeCloseTo((1 - 1 / 330) ** 175, 9);
    expect(unseen.few).toBeCloseTo((1 - 1 / 20) ** 175, 9);
    expect(unseen[""]).toBeCloseTo(97.01 / 175, 4);
    expect(says(root)).toMatch(/^55% never seenin one epoch; \d+% once, \d+% twice or more\. After/);
  });
});

test("without weights one epoch sees all, each sample once", async () => {
  const { root, all } = await mounted({}, CoverageStrip);
  expect(says(root)).toBe("One epoch sees 100%.Without weights, an epoch draws each sample once.");
  expect(all("[data-testid^=curve-]").map((curve) => curve.dataset.testid)).toEqual(["curve-once"]);
});

test("once, in an epoch as long as the pool, weights only change the order", async () => {
  const { root } = await mounted({ weights: { 5: 20 }, mode: "once" }, CoverageStrip);
  expect(says(root)).toContain("One epoch sees 100%.");
  expect(says(root)).toContain("weights only change the order");
});

test("rows that can never be drawn: never is named, the ceiling is drawn, and shares are of what can be drawn on demand", async () => {
  const { root, find } = await mounted({ weights: { 5: 20 }, everythingElse: 0 }, CoverageStrip);
  expect(Number(find("[data-testid=ceiling]").dataset.share)).toBeCloseTo(12 / 600, 12);
  expect(value(find("[data-testid=iid-all]"))).toBe("never");
  expect(says(root)).toBe(
    "One epoch sees 2%.All seen: never. 588 of 600 samples have weight 0. of the 12 that can be drawn",
  );
  find("[data-testid=ceiling-note]").click();
  await settled();
  expect(value(find("[data-testid=deck-all]"))).toBe("1");
  expect(Number(value(find("[data-testid=seen-epoch-1]")))).toBeCloseTo(1, 9);
  expect(says(root)).toContain("All 12 seen by epoch");
});

test("all weights 0: nothing can be drawn, at every tab", async () => {
  const { root, find } = await mounted({ weights: { 5: 0 }, everythingElse: 0 }, CoverageStrip);
  for (const tab of ["epochs", "times", "batches"]) {
    find(`[data-tab=${tab}]`).click();
    await settled();
    expect(says(root)).toBe("Nothing can be drawn.Every weight is 0.");
  }
});

test("the tabs are one stop, and arrows go around them", async () => {
  const { find, all } = await mounted({ weights: { 5: 20 } }, CoverageStrip);
  const stops = () =>
    all("[role=tab]").map((tab) => [tab.dataset.tab, tab.tabIndex, tab.getAttribute("aria-selected")]);
  expect(stops()).toEqual([
    ["epochs", 0, "true"],
    ["times", -1, "false"],
    ["batches", -1, "false"],
  ]);
  find("[data-tab=epochs]").focus();
  press(find("[data-tab=epochs]"), "ArrowLeft");
  await settled();
  expect(stops()[2]).toEqual(["batches", 0, "true"]);
  expect((document.activeElement as HTMLElement).dataset.tab).toBe("batches");
});

test.each([
  [{ atMost0: 0.54, atMost1: 0.82 }, 1, "54% never seen", "in one epoch; 28% once, 18% twice or more."],
  [{ atMost0: 0, atMost1: 1 }, 1, "Each drawn once.", "No sample twice in one epoch."],
  [{ atMost0: 0, atMost1: 0 }, 5, "0% never seen", "in 5 epochs; 0% once, 100% twice or more."],
])("times seen in words: %o after %i", (shares, epochs, headline, sentence) => {
  const told = timesText(shares, epochs);
  const text = told.sentence.map((part) => (typeof part === "string" ? part : part.figure)).join("");
  expect([told.headline, text]).toEqual([headline, sentence]);
});

test.each([
  [
    [
      [1, 0],
      [2, 1],
    ],
    "2 batches of 4",
    "as the exported loader will draw them; 1 contains few.",
  ],
  [
    [
      [1, 2],
      [2, 1],
    ],
    "2 batches of 4",
    "as the exported loader will draw them; every one contains few.",
  ],
  [[[1, 0]], "1 batch of 4", "as the exported loader will draw them; none contains few."],
])("batches in words: %o", (counts, headline, sentence) => {
  const told = batchesText(counts, 4, { index: 1, name: "few" }, false);
  const text = told.sentence.map((part) => (typeof part === "string" ? part : part.figure)).join("");
  expect([told.headline, text]).toEqual([headline, sentence]);
});

test.each([
  [4, null, [1, 2, 3, 4]],
  [4, 3, [1, 2, 3, 4]],
])("a short chart has every epoch", (horizon, knee, points) => {
  expect(pointsUpTo(horizon, knee)).toEqual(points);
});

test("a long chart has at most 49 points, the corner of the deck among them", () => {
  const points = pointsUpTo(100_000, 777);
  expect(points.length).toBeLessThanOrEqual(49);
  expect([points[0], points.at(-1), points.includes(777)]).toEqual([1, 100_000, true]);
});

describe("dots from the loader's own stream", () => {
  test("are asked for once at rest, and marked stale by the next change", async () => {
    const { store, model, find, all } = await mounted({ weights: { 5: 20 } }, CoverageStrip);
    store.actions.setWeight(0, 10);
    store.actions.setWeight(0, 12);
    const drawn = () => model.sent.filter(({ op }) => op === "plan.drawn");
    await vi.waitFor(() => expect(drawn().at(-1)?.args.weights).toEqual([12, 1]));
    expect(drawn().map(({ args }) => args.weights)).not.toContainEqual([10, 1]); // never between two changes
    expect(drawn().at(-1)?.args).toMatchObject({ mode: "iid", num_epochs: 8 });
    model.reply(drawn().at(-1)?.id ?? "", { unique: [330, 470, 530], counts: [] });
    await settled();
    expect(all("[data-testid=drawn-dot]").map((dot) => dot.dataset.unique)).toEqual(["330", "470", "530"]);
    expect(find("[data-testid=drawn]").dataset.stale).toBe("false");
    store.actions.setWeight(0, 20);
    await settled();
    expect(find("[data-testid=drawn]").dataset.stale).toBe("true");
  });

  test("no kernel, no dots, and the curves stay", async () => {
    const { store, model, find, all } = await mounted({ weights: { 5: 20 } }, CoverageStrip);
    store.link.value = "static";
    const before = model.sent.length; // a slow machine has asked for its first dots already
    store.actions.setWeight(0, 3);
    await wait(220);
    expect(model.sent.slice(before).filter(({ op }) => op === "plan.drawn")).toEqual([]);
    expect(all("[data-testid=drawn-dot]")).toEqual([]);
    expect(find("[data-testid=curve-iid]").dataset.shares).toContain(" ");
  });
});

test("batches are asked for when they are looked at, and stacked by class", async () => {
  const { root, find, all, model } = await mounted({ weights: { 5: 20 } }, CoverageStrip);
  await wait(200);
  expect(model.sent.filter(({ op }) => op === "plan.batches")).toEqual([]);
  find("[data-tab=batches]").click();
  await vi.waitFor(() => expect(model.sent.map(({ op }) => op)).toContain("plan.batches"));
  const asked = model.sent.findLast(({ op }) => op === "plan.batches");
  expect(asked).toMatchObject({ op: "plan.batches", args: { batch_size: 64, num_batches: 12, weights: [20, 1] } });
  model.reply(asked?.id ?? "", {
    counts: [
      [40, 10, 0, 0, 0, 14],
      [50, 14, 0, 0, 0, 0],
    ],
  });
  await settled();
  expect(all("[data-testid=batch]").map((bar) => bar.getAttribute("aria-label"))).toEqual([
    "batch 1: Circle 40, Square 10, Cross 14",
    "batch 2: Circle 50, Square 14, Cross 0",
  ]);
  expect(all("[data-testid=batch] rect[data-class=Cross]").map((part) => part.dataset.count)).toEqual(["14"]);
  expect(says(root)).toContain("2 batches of 64as the exported loader will draw them; 1 contains Cross.");
});

test("batches of a kernel that is gone stay, for the weights before", async () => {
  const { store, root, find, model } = await mounted({ weights: { 5: 20 } }, CoverageStrip);
  store.link.value = "dead";
  find("[data-tab=batches]").click();
  await wait(200);
  expect(says(root)).toBe("Batches need a running kernel.");
  expect(model.sent.filter(({ op }) => op === "plan.batches")).toEqual([]);
});

test("labels beside curves stay apart and inside", () => {
  expect(labelPlaces([8, 8, 8], 13, 8, 102)).toEqual([8, 21, 34]);
  expect(labelPlaces([100, 101, 50], 13, 8, 102)).toEqual([89, 102, 50]);
});
