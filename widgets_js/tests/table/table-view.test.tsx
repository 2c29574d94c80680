// The table over a session whose kernel is scripted: what it asks for, what it shows, what keys and clicks do.
import { render } from "preact";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { FakeModel } from "../../dev/fake-model.ts";
import { dataset, gridState, liveSession, queryState, settled } from "../../dev/scripted-kernel.ts";
import type { ColumnProfile } from "../../src/session/protocol.ts";
import type { Session } from "../../src/session/session.ts";
import { ColumnList } from "../../src/table/column-list.tsx";
import { TableView } from "../../src/table/table-view.tsx";
import { press } from "../charts/mounted.tsx";

const COLUMNS = ["age", "view", "huge"].map((name) => ({
  name,
  htype: name === "view" ? "text" : "generic",
  shown: name,
  numeric: name !== "view",
}));

function profileOf(name: string): ColumnProfile {
  const bars = [0, 1, 2].map((i) => ({ label: `${name} ${i}`, special: null, raw: 10 * (i + 1), pool: i }));
  return {
    name,
    kind: name === "view" ? "category" : "number",
    bars,
    other: { raw: 0, pool: 0 },
    selectable: [true, true, name !== "view"],
    selected: null,
    low: "0",
    high: "95",
    distinct: 3,
    facts: [{ name: "mean", value: "47.5" }],
    num_raw: 60,
    num_pool: 3,
  };
}

interface Shown {
  root: HTMLElement;
  session: Session;
  model: FakeModel;
  rows: () => HTMLElement[];
  table: () => HTMLElement;
  asked: (op: string) => Record<string, unknown>[];
}

/** A table of `total` samples, 300 pixels high and 500 wide. */
async function shown(total: number, Panel = TableView): Promise<Shown> {
  for (const [name, size] of [
    ["clientWidth", 500],
    ["clientHeight", 300],
  ] as const)
    vi.spyOn(HTMLElement.prototype, name, "get").mockReturnValue(size);
  const { session, model } = liveSession();
  const { store } = session;
  await settled();
  store.dataset.value = { ...dataset(), image_tensor: null };
  store.grid.value = gridState(total);
  store.gridSize.value = total;
  model.onSend = ({ op, id, args }) => queueMicrotask(() => answer(model, total, op, id, args));
  const root = document.createElement("div");
  document.body.append(root);
  render(<Panel session={session} />, root);
  onTestFinished(() => {
    render(null, root);
    root.remove();
    session.dispose();
    vi.restoreAllMocks();
  });
  await settled();
  await settled();
  return {
    root,
    session,
    model,
    rows: () => [...root.querySelectorAll<HTMLElement>("[data-position]")],
    table: () => root.querySelector<HTMLElement>("[data-testid=penstock-rows]") as HTMLElement,
    asked: (op) => model.sent.filter((request) => request.op === op).map(({ args }) => args),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: the arguments of several operations
function answer(model: FakeModel, total: number, op: string, id: string, args: any): void {
  if (op === "columns.list") model.reply(id, { columns: COLUMNS, num_rows: total, data: "1" });
  else if (op === "columns.profile") model.reply(id, { profiles: args.names.map(profileOf), data: "1" });
  else if (op === "columns.filter") model.reply(id, { text: `select * where ${args.name}` });
  else if (op === "query.run") {
    const { query, buffers } = queryState();
    model.reply(
      id,
      {
        dataset: { ...dataset(), image_tensor: null },
        query: { ...query, text: args.text },
        grid: gridState(total),
        history: [],
      },
      buffers,
    );
  } else if (op === "grid.sort") {
    model.reply(id, { grid: { ...gridState(total), sort: args.sort, descending: args.descending ?? false } });
  } else if (op === "table.rows") {
    const positions = Array.from({ length: args.stop - args.start }, (_, i) => args.start + i);
    const rows = positions.map((position: number) => ({
      position,
      row: position,
      uid: String(position),
      edited: position === 1,
      cells: args.names.map((name: string) =>
        name === "view" ? (position === 0 ? null : "PA") : name === "huge" ? "9007199254740993" : position % 96,
      ),
    }));
    model.reply(id, { rows, token: "null" });
  }
}

describe("the table", () => {
  it("draws the rows in view only, of a million", async () => {
    const { rows, table } = await shown(1_000_000);
    expect(table().getAttribute("aria-rowcount")).toBe("1000001");
    expect(table().getAttribute("aria-colcount")).toBe("4");
    expect(rows().length).toBeGreaterThan(7);
    expect(rows().length).toBeLessThan(16);
    expect(rows()[3]?.getAttribute("aria-rowindex")).toBe("5");
  });

  it("shows cells as they are, with what is missing", async () => {
    const { rows } = await shown(100);
    const cells = (row: number) => [...(rows()[row]?.children ?? [])].map(({ textContent }) => textContent);
    expect(cells(0)).toEqual(["0", "0", "missing", "9007199254740993"]);
    expect(cells(1)).toEqual(["✎1", "1", "PA", "9007199254740993"]);
  });

  it("asks for one page of rows and the profiles in view", async () => {
    const { asked } = await shown(1_000_000);
    expect(asked("table.rows")).toEqual([{ start: 0, stop: 64, names: ["age", "view", "huge"] }]);
    expect(asked("columns.profile")).toEqual([{ names: ["age", "view", "huge"] }]);
  });

  it("sorts by a column ascending, descending, and as queried again", async () => {
    const { root, session, asked } = await shown(100);
    session.store.dataset.value = { ...dataset(), image_tensor: null, scalar_tensors: ["age"] };
    const head = (name: string) => root.querySelector(`[role=columnheader][data-column=${name}]`) as HTMLElement;
    const directions: (string | null)[] = [];
    for (let step = 0; step < 3; step++) {
      head("age").querySelector<HTMLElement>("[data-testid=penstock-sort-column]")?.click();
      await settled();
      directions.push(head("age").getAttribute("aria-sort"));
      expect(head("view").getAttribute("aria-sort")).toBe("none");
    }
    expect(directions).toEqual(["ascending", "descending", "none"]);
    expect(asked("grid.sort")).toEqual([
      { sort: "tensor:age", descending: false },
      { sort: "tensor:age", descending: true },
      { sort: "query", descending: false },
    ]);
  });

  it("sorts by Space in a header, of lists and computed values too", async () => {
    const { session, table, asked } = await shown(100);
    session.store.current.value = 0;
    press(table(), "ArrowUp");
    await settled();
    press(table(), "ArrowRight");
    press(table(), " ");
    await settled();
    expect(asked("grid.sort")).toEqual([{ sort: "column:view", descending: false }]);
    expect(session.store.announcement.value).toBe("sorted by view, ascending");
  });

  it("profiles the columns anew when the filter shows other samples", async () => {
    const { session, asked } = await shown(100);
    const before = asked("columns.profile").length;
    session.store.grid.value = { ...gridState(40), token: "other", filter: { classes: [0], how: "any", states: [] } };
    await settled();
    await settled();
    expect(asked("columns.profile").length).toBe(before + 1);
  });

  it("is one stop of the Tab key", async () => {
    const { root } = await shown(100);
    expect(root.querySelectorAll("[tabindex='0'], button, input").length).toBe(1);
  });

  it("goes to the last row and back by keys", async () => {
    const { table, session, rows } = await shown(1_000_000);
    press(table(), "End");
    await settled();
    expect(session.store.current.value).toBe(999_999);
    expect(rows().at(-1)?.dataset.position).toBe("999999");
    press(table(), "PageUp");
    press(table(), "Home");
    await settled();
    expect(session.store.current.value).toBe(0);
    expect(rows()[0]?.dataset.position).toBe("0");
  });

  it("selects as the grid does", async () => {
    const { table, session, rows } = await shown(100);
    rows()[2]?.querySelector<HTMLElement>("[role=gridcell]")?.click();
    press(table(), "ArrowDown", { shiftKey: true });
    await settled();
    expect(session.grid.selection.value).toEqual([[2, 4]]);
    expect(rows()[3]?.getAttribute("aria-selected")).toBe("true");
    const opened = vi.fn();
    session.grid.openDetail = opened;
    press(table(), "Enter");
    expect(opened).toHaveBeenCalledOnce();
  });

  it("walks over cells and into the header", async () => {
    const { table } = await shown(100);
    const active = () => table().getAttribute("aria-activedescendant")?.split("-").slice(3).join("-");
    press(table(), "ArrowRight");
    press(table(), "ArrowUp");
    await settled();
    expect(active()).toBe("-1-1");
    expect(document.getElementById(table().getAttribute("aria-activedescendant") ?? "")?.dataset.column).toBe("view");
    press(table(), "ArrowDown");
    await settled();
    expect(active()).toBe("0-1");
  });

  it("selects bars by keys", async () => {
    const { table, asked, session } = await shown(100);
    press(table(), "ArrowUp");
    await settled();
    press(table(), "Enter");
    press(table(), "ArrowRight", { shiftKey: true });
    await settled();
    expect(session.store.announcement.value).toBe("age 0 – age 1: 1 of 30");
    press(table(), "Enter");
    await settled();
    expect(asked("columns.filter")).toEqual([{ text: "select *", name: "age", first: 0, last: 1, data: "1" }]);
    expect(asked("query.run").map(({ text }) => text)).toEqual(["select * where age"]);
  });

  it("selects a bar by a click and several by a drag", async () => {
    const { root, asked } = await shown(100);
    const chart = root.querySelector("[data-column=age] svg") as SVGElement;
    vi.spyOn(chart, "getBoundingClientRect").mockReturnValue({ left: 0 } as DOMRect);
    const point = (kind: string, clientX: number) =>
      chart.dispatchEvent(new PointerEvent(kind, { clientX, button: 0, bubbles: true }));
    point("pointerdown", 2);
    point("pointermove", 30);
    point("pointerup", 30);
    await settled();
    expect(asked("columns.filter").map(({ first, last }) => [first, last])).toEqual([[0, 1]]);
  });

  it("keeps what is loaded when the kernel is gone, and asks for nothing", async () => {
    const { session, rows, root, model } = await shown(100);
    const before = model.sent.length;
    session.store.link.value = "dead";
    await settled();
    expect(rows()[1]?.textContent).toContain("PA");
    expect(root.querySelector("[data-column=age] .penstock-clickable")).toBeNull();
    expect(model.sent.length).toBe(before);
  });

  it("says in one sentence that it needs a kernel", async () => {
    const { session } = liveSession();
    await settled();
    session.store.dataset.value = { ...dataset(), image_tensor: null };
    session.store.link.value = "dead";
    const root = document.createElement("div");
    render(<TableView session={session} />, root);
    onTestFinished(() => {
      render(null, root);
      session.dispose();
    });
    expect(root.textContent).toBe("The table needs a running kernel. Run this cell again.");
  });
});

describe("the list of columns", () => {
  it("is walked by keys, and its bars select", async () => {
    const { root, asked } = await shown(100, ColumnList);
    const list = root.querySelector<HTMLElement>("[data-testid=penstock-columns]") as HTMLElement;
    expect([...list.querySelectorAll("[role=option]")].length).toBe(3);
    press(list, "ArrowDown");
    await settled();
    press(list, "ArrowRight");
    await settled();
    press(list, "Enter");
    await settled();
    expect(asked("columns.filter")).toEqual([{ text: "select *", name: "view", first: 0, last: 0, data: "1" }]);
  });
});
