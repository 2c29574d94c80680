import { describe, expect, it, vi } from "vitest";
import { goToCellBelow, insertCellBelow } from "../src/explorer/insert-cell.ts";
import type { Model } from "../src/session/model.ts";

const LAYOUT = { own: true };
const hosted = (layout: object, children: object[] = []) => ({
  get: (key: string) => (key === "layout" ? layout : children),
});
const shows = (id: string) => ({
  toJSON: () => ({ outputs: [{ data: { "application/vnd.jupyter.widget-view+json": { model_id: id } } }] }),
});
const plain = { toJSON: () => ({ outputs: [{ data: { "text/plain": "1" } }] }) };
const markdown = { toJSON: () => ({}) };

function notebook(models: Record<string, object>, cells: object[]) {
  const insertCell = vi.fn();
  const manager = {
    context: { model: { sharedModel: { insertCell }, cells } },
    get_model: async (id: string) => models[id],
  };
  const model = { get: (key: string) => (key === "layout" ? LAYOUT : undefined), widget_manager: manager };
  return { model: model as unknown as Model, insertCell };
}

describe("insertCellBelow", () => {
  it("inserts below the cell that shows the widget", async () => {
    const { model, insertCell } = notebook({ a: hosted({}), b: hosted(LAYOUT) }, [
      markdown,
      shows("a"),
      plain,
      shows("b"),
      plain,
    ]);
    expect(await insertCellBelow(model, "import penstock")).toBe(true);
    expect(insertCell).toHaveBeenCalledWith(4, { cell_type: "code", source: "import penstock", metadata: {} });
  });

  it("finds a widget inside boxes by the displayed root", async () => {
    const inner = hosted({}, [hosted({}), hosted(LAYOUT)]);
    const { model, insertCell } = notebook({ root: hosted({}, [inner]) }, [shows("root")]);
    expect(await insertCellBelow(model, "x")).toBe(true);
    expect(insertCell.mock.calls[0]?.[0]).toBe(1);
  });

  it.each([
    ["there is no manager", { get: () => LAYOUT }],
    ["the host has no notebook", { get: () => LAYOUT, widget_manager: {} }],
    [
      "asking throws",
      {
        get: () => LAYOUT,
        get widget_manager(): never {
          throw new Error("no");
        },
      },
    ],
  ])("gives up quietly when %s", async (_why, model) => {
    expect(await insertCellBelow(model as unknown as Model, "x")).toBe(false);
  });

  it("inserts nothing when no cell shows the widget", async () => {
    const { model, insertCell } = notebook({ a: hosted({}) }, [shows("a")]);
    expect(await insertCellBelow(model, "x")).toBe(false);
    expect(insertCell).not.toHaveBeenCalled();
  });
});

describe("goToCellBelow", () => {
  const page = (html: string): HTMLElement => {
    document.body.replaceChildren();
    const cells = html.split("|").map((what) => {
      const cell = document.createElement("div");
      cell.className = "jp-Cell";
      const inside = document.createElement(what === "widget" ? "button" : "div");
      if (what === "code") {
        inside.className = "cm-content";
        inside.tabIndex = 0;
      }
      cell.append(inside);
      return cell;
    });
    document.body.append(...cells);
    return document.querySelector("button") as HTMLElement;
  };

  it("puts the caret in the next cell and brings it into view", () => {
    const button = page("code|widget|code");
    const next = button.closest(".jp-Cell")?.nextElementSibling as HTMLElement;
    next.scrollIntoView = vi.fn();
    expect(goToCellBelow(button)).toBe(true);
    expect(next.scrollIntoView).toHaveBeenCalled();
    expect(document.activeElement).toBe(next.firstElementChild);
  });

  it("does nothing where there is no cell below", () => {
    expect(goToCellBelow(page("code|widget"))).toBe(false);
  });
});
