// Names, menus and keys of the class table's rows.
import { describe, expect, test } from "vitest";
import { gridState, settled } from "../../dev/scripted-kernel.ts";
import { ClassTable } from "../../src/class-table/class-table.tsx";
import { tunerState } from "../../src/class-table/tuner-state.ts";
import { undoKind } from "../../src/runtime/undo-keys.ts";
import { FOCUSABLE_SELECTOR } from "../../src/ui/focus.ts";
import { type Mounted, mounted, press } from "../charts/mounted.tsx";
import { bar, field, row, slider, WEIGHTS } from "./the-table.ts";

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
    const sent = table.model.sent.filter(({ op }) => op !== "weights.keep");
    expect(sent.at(-1)).toMatchObject({ op: "clause.remove", args: { clause: 3 } });
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
