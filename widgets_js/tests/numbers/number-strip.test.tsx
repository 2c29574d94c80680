// The strip of a number above the grid: which number, its brush by pointer and keys, and the two clicks to hard samples.
import { render } from "preact";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { FakeModel } from "../../dev/fake-model.ts";
import { dataset, gridState, liveSession, queryState, settled } from "../../dev/scripted-kernel.ts";
import { GridSortMenu } from "../../src/grid/grid-sort.tsx";
import { NumberStrip } from "../../src/numbers/number-strip.tsx";
import type { ColumnProfile } from "../../src/session/protocol.ts";
import type { Session } from "../../src/session/session.ts";
import { numberName, signalColumn } from "../../src/session/signals.ts";
import { press } from "../charts/mounted.tsx";

const LOSS = "signal('loss')";
const COLUMNS = [
  { name: "age", htype: "generic", shown: "generic", numeric: true },
  { name: "view", htype: "text", shown: "text", numeric: false },
  { name: LOSS, htype: "signal", shown: "signal", numeric: true },
];

function profileOf(name: string): ColumnProfile {
  const plain = [0, 1, 2, 3].map((i) => ({ label: `${i} – ${i + 1}`, special: null, raw: 10, pool: 5 }));
  const bars = name === LOSS ? [...plain, { label: "missing", special: "missing" as const, raw: 43, pool: 43 }] : plain;
  return {
    name,
    kind: "number",
    bars,
    other: { raw: 0, pool: 0 },
    selectable: bars.map(() => true),
    selected: null,
    low: "0",
    high: "4",
    distinct: null,
    facts: [{ name: "mean", value: "2" }],
    num_raw: 83,
    num_pool: 63,
  };
}

interface Shown {
  root: HTMLElement;
  session: Session;
  find: (id: string) => HTMLElement | null;
  brush: () => HTMLElement;
  asked: (op: string) => Record<string, unknown>[];
}

async function shown({ signals = true } = {}): Promise<Shown> {
  const { session, model } = liveSession();
  const { store } = session;
  await settled();
  store.dataset.value = {
    ...dataset(),
    scalar_tensors: ["age"],
    signals: signals ? { run: "baseline", names: ["loss"], stale: 12 } : null,
  };
  store.grid.value = gridState(83);
  model.onSend = ({ op, id, args }) => queueMicrotask(() => answer(model, signals, op, id, args));
  const root = document.createElement("div");
  document.body.append(root);
  render(
    <>
      <GridSortMenu session={session} />
      <NumberStrip session={session} />
    </>,
    root,
  );
  onTestFinished(() => {
    render(null, root);
    root.remove();
    session.dispose();
  });
  const find = (id: string): HTMLElement | null => root.querySelector(`[data-testid=penstock-${id}]`);
  await settled();
  await settled();
  return {
    root,
    session,
    find,
    brush: () => find("brush") as HTMLElement,
    asked: (op) => model.sent.filter((request) => request.op === op).map(({ args }) => args),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: the arguments of several operations
function answer(model: FakeModel, signals: boolean, op: string, id: string, args: any): void {
  const columns = signals ? COLUMNS : COLUMNS.slice(0, 2);
  if (op === "columns.list") model.reply(id, { columns, num_rows: 83, data: "1" });
  else if (op === "columns.profile") model.reply(id, { profiles: args.names.map(profileOf), data: "1" });
  else if (op === "columns.filter") model.reply(id, { text: `select * where ${args.name} ${args.first}` });
  else if (op === "grid.sort")
    model.reply(id, { grid: { ...gridState(83), sort: args.sort, descending: args.descending ?? false } });
  else if (op === "query.run") {
    const { query, buffers } = queryState();
    const now = { dataset: dataset(), query: { ...query, text: args.text }, grid: gridState(83), history: [] };
    model.reply(id, now, buffers);
  }
}

describe("the strip of a number", () => {
  it("shows a signal where there is one, the number samples are sorted by else", async () => {
    const { find, session } = await shown();
    expect((find("number-choice") as HTMLSelectElement).value).toBe(LOSS);
    expect(find("number-choice")?.textContent).toBe("lossage");
    await session.grid.sortBy("tensor:age");
    await settled();
    expect((find("number-choice") as HTMLSelectElement).value).toBe("age");
    expect(find("never-seen")).toBeNull();
  });

  it("is not there without a signal before samples are sorted by a number", async () => {
    const { find, session } = await shown({ signals: false });
    expect(find("number")).toBeNull();
    await session.grid.sortBy("tensor:age");
    await settled();
    expect(find("number")).not.toBeNull();
  });

  it("sorts the hard ones first with one click, and back with another", async () => {
    const { find, asked } = await shown();
    find("hard-first")?.click();
    await settled();
    expect(asked("grid.sort")).toEqual([{ sort: `column:${LOSS}`, descending: true }]);
    expect(find("hard-first")?.getAttribute("aria-pressed")).toBe("true");
    expect((find("sort") as HTMLSelectElement).selectedOptions[0]?.textContent).toBe("loss ↓");
    find("hard-first")?.click();
    await settled();
    expect(asked("grid.sort")[1]).toEqual({ sort: "query", descending: false });
  });

  it("filters those never seen with one click, and says how many there are", async () => {
    const { find, asked } = await shown();
    expect(find("never-seen")?.textContent).toBe("never seen 43");
    find("never-seen")?.click();
    await settled();
    expect(asked("columns.filter")).toMatchObject([{ name: LOSS, first: 4, last: 4 }]);
    expect(asked("query.run")).toHaveLength(1);
  });

  it("writes WHERE from bars chosen by keys", async () => {
    const { brush, asked } = await shown();
    press(brush(), "ArrowRight");
    press(brush(), "ArrowRight");
    press(brush(), "ArrowRight", { shiftKey: true });
    await settled();
    expect(brush().getAttribute("aria-valuetext")).toBe("1 – 3: 10 of 20");
    press(brush(), "Enter");
    await settled();
    expect(asked("columns.filter")).toMatchObject([{ name: LOSS, first: 1, last: 2 }]);
    press(brush(), "Escape");
    await settled();
    expect(brush().getAttribute("aria-valuetext")).toContain("mean 2");
  });

  it("writes WHERE from a drag", async () => {
    const { brush, asked } = await shown();
    const svg = brush().querySelector("svg") as SVGElement;
    vi.spyOn(svg, "getBoundingClientRect").mockReturnValue({ left: 0 } as DOMRect);
    const at = (kind: string, x: number) =>
      svg.dispatchEvent(new PointerEvent(kind, { clientX: x, bubbles: true, button: 0 }));
    at("pointerdown", 2);
    at("pointermove", 60);
    at("pointerup", 60);
    await settled();
    expect(asked("columns.filter")).toMatchObject([{ name: LOSS, first: 0, last: 2 }]);
  });

  it("says how many samples were edited since", async () => {
    const { find } = await shown();
    expect(find("stale")?.textContent).toBe("12 stale");
  });

  it("names signals as queries and people do", () => {
    const column = signalColumn("baker's loss");
    expect(column).toBe("signal('baker''s loss')");
    expect(numberName({ name: column, htype: "signal" })).toBe("baker's loss");
    expect(numberName({ name: "age", htype: "generic" })).toBe("age");
  });
});
