// What the class table says of what moved.
import { describe, expect, test, vi } from "vitest";
import { settled } from "../../dev/scripted-kernel.ts";
import { ClassTable } from "../../src/class-table/class-table.tsx";
import { moveText } from "../../src/class-table/sentence.tsx";
import { tunerState } from "../../src/class-table/tuner-state.ts";
import { mounted, slide } from "../charts/mounted.tsx";
import { bar, sentence, slider, WEIGHTS } from "./the-table.ts";

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
