// The class table at 1,203 classes.
import { describe, expect, test, vi } from "vitest";
import { settled } from "../../dev/scripted-kernel.ts";
import { ClassTable } from "../../src/class-table/class-table.tsx";
import { mounted, press, slide } from "../charts/mounted.tsx";
import { answer, order, row, search, slider } from "./the-table.ts";

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
