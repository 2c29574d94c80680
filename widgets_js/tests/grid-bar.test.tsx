// The bar above the grid: counts, chips, the filter's menu, the order. Over the scripted kernel, with the grid below it.
import { render } from "preact";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FakeKernel, type FakeOptions } from "../dev/fake-kernel.ts";
import { FakeModel } from "../dev/fake-model.ts";
import { GridBar } from "../src/grid/grid-bar.tsx";
import { GridPanel } from "../src/grid/grid-panel.tsx";
import { createSession, type Session } from "../src/session/session.ts";

const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 4000, interval: 10 });

interface Bar {
  root: HTMLElement;
  session: Session;
  kernel: FakeKernel;
  model: FakeModel;
  find: <E extends HTMLElement = HTMLElement>(id: string) => E;
  chips: () => string[];
  counts: () => string;
  sent: (op: string) => Record<string, unknown>[];
}

let unmount = (): void => {};

async function bar(options: FakeOptions = {}): Promise<Bar> {
  const model = new FakeModel({ _kind: "browser", query: "select *" });
  const kernel = new FakeKernel({ numSamples: 60, ...options });
  model.onSend = ({ op, id, args }) => {
    if (op === "cancel") return;
    kernel.answer(op, args).then(
      ({ result, buffers }) => model.reply(id, result, buffers),
      (error) => model.refuse(id, error),
    );
  };
  const session = createSession(model);
  session.start();
  const root = document.createElement("div");
  root.className = "penstock";
  document.body.replaceChildren(root);
  render(
    <>
      <GridBar session={session} />
      <GridPanel session={session} />
    </>,
    root,
  );
  unmount = () => {
    render(null, root);
    session.dispose();
  };
  const find = <E extends HTMLElement>(id: string): E => {
    const found = root.querySelector<E>(`[data-testid=penstock-${id}]`);
    if (found === null) throw new Error(`no ${id} in ${root.textContent}`);
    return found;
  };
  const chips = (): string[] =>
    [...find("filters").querySelectorAll(".penstock-chip-text")].map((chip) => chip.textContent ?? "");
  await eventually(() => expect(session.store.link.value).toBe("live"));
  return {
    root,
    session,
    kernel,
    model,
    find,
    chips,
    counts: () => find("pool").textContent ?? "",
    sent: (op) => kernel.log.filter((one) => one.op === op).map(({ args }) => args),
  };
}

async function open({ find }: Bar): Promise<HTMLElement> {
  find("filter-menu").nextElementSibling?.dispatchEvent(
    Object.assign(new Event("toggle"), { oldState: "closed", newState: "open" }),
  );
  await eventually(() => find("filter-panel"));
  return find("filter-panel");
}

function key(target: Element, name: string): void {
  target.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true }));
}

/** Samples of the scripted kernel by a plain count. */
function numberWith(kernel: FakeKernel, fits: (labels: number[]) => boolean): number {
  return Array.from({ length: 60 }, (_, row) => kernel.sample(row).labels).filter(fits).length;
}

beforeEach(() => {
  vi.spyOn(URL, "createObjectURL").mockReturnValue("blob:x");
  vi.spyOn(URL, "revokeObjectURL").mockReturnValue(undefined);
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(600);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(300);
});
afterEach(() => {
  unmount();
  vi.restoreAllMocks();
});

describe("the filter by classes", () => {
  test("counts the samples shown and those of the query, before that those of the dataset", async () => {
    const { session, kernel, counts } = await bar();
    expect(counts()).toBe("60 of 60");
    await session.store.actions.run({ text: "select * where contains(labels, 'Square')" });
    const squares = numberWith(kernel, (labels) => labels.includes(1));
    expect(counts()).toBe(`${squares} of 60`);
    await session.store.actions.filterClass(0);
    const both = numberWith(kernel, (labels) => labels.includes(1) && labels.includes(0));
    expect(counts()).toBe(`${both} of ${squares}`);
  });

  test("takes one class by a click, more with add, and gives one back", async () => {
    const { session, chips, find, sent } = await bar();
    const { filterClass } = session.store.actions;
    await filterClass(3);
    expect(chips()).toEqual(["Star"]);
    expect(session.store.classFilter.value).toBe(3);
    await filterClass(1, { add: true });
    expect(chips()).toEqual(["Star", "Square"]);
    expect(session.store.classFilter.value).toBe(null);
    expect(find("how").dataset.value).toBe("any");
    await filterClass(3, { add: true });
    expect(chips()).toEqual(["Square"]);
    await filterClass(4);
    expect(chips()).toEqual(["Ring"]);
    await filterClass(null);
    expect(chips()).toEqual([]);
    expect(sent("grid.filter").map(({ classes }) => classes)).toEqual([[3], [3, 1], [1], [4], []]);
  });

  test.each([
    ["any", (labels: number[]) => labels.includes(0) || labels.includes(1)],
    ["all", (labels: number[]) => labels.includes(0) && labels.includes(1)],
    ["not", (labels: number[]) => !labels.includes(0) && !labels.includes(1)],
  ] as const)("shows samples with %s of several classes", async (how, fits) => {
    const { session, kernel, find, counts } = await bar();
    await session.store.actions.filterClass(0);
    await session.store.actions.filterClass(1, { add: true });
    find("how").querySelector<HTMLInputElement>(`input[value=${how}]`)?.click();
    await eventually(() => expect(counts()).toBe(`${numberWith(kernel, fits)} of 60`));
    expect(session.store.filter.value.how).toBe(how);
  });

  test("shows at once what was asked for, and what is true when the kernel refuses", async () => {
    const { session, chips, kernel } = await bar();
    await session.store.actions.filterClass(2);
    vi.spyOn(kernel, "answer").mockRejectedValueOnce({ code: "SampleIndexError", message: "class index 9" });
    const asked = session.store.actions.filterClass(9);
    expect(session.store.filter.value.classes).toEqual([9]);
    await asked;
    expect(chips()).toEqual(["Triangle"]);
    expect(session.store.toast.value?.text).toContain("class index 9");
  });
});

describe("chips", () => {
  test("stand for each condition of WHERE, class and state; × takes the condition out of the query", async () => {
    const { session, chips, find } = await bar();
    await session.store.actions.run({
      text: "select * where contains(labels, 'Circle') and contains(labels, 'Square') sample by max_weight(contains(labels, 'Cross'): 20, True: 1)",
    });
    await session.store.actions.filterState("unlabeled", true);
    expect(chips()).toEqual(["contains(labels, 'Circle')", "contains(labels, 'Square')", "no label"]);
    find("filters").querySelectorAll<HTMLElement>("[data-testid=penstock-chip-remove]")[0]?.click();
    await eventually(() => expect(chips()).toEqual(["contains(labels, 'Square')", "no label"]));
    expect(session.store.text.value).toBe(
      "select * where contains(labels, 'Square') sample by max_weight(contains(labels, 'Cross'): 20, True: 1)",
    );
  });

  test("leave what was typed and has not run in the editor", async () => {
    const { session, chips } = await bar();
    await session.store.actions.run({ text: "select * where contains(labels, 'Circle')" });
    session.query.replaceText("select * where contains(labels, 'Star') limit 9");
    await session.store.actions.dropCondition(0);
    expect(chips()).toEqual([]);
    expect(session.store.query.value?.text).toBe("select *");
    expect(session.store.text.value).toBe("select * where contains(labels, 'Star') limit 9");
  });

  test("are one stop of the Tab key; arrows move, Delete removes, and the focus stays among them", async () => {
    const { session, chips, find } = await bar();
    const { filterClass } = session.store.actions;
    await filterClass(0);
    await filterClass(1, { add: true });
    await filterClass(2, { add: true });
    const buttons = (): HTMLButtonElement[] => [...find("filters").querySelectorAll<HTMLButtonElement>("li button")];
    await eventually(() => expect(buttons().length).toBe(3));
    const stops = (): number[] => buttons().map((button) => button.tabIndex);
    expect(stops()).toEqual([0, -1, -1]);
    buttons()[0]?.focus();
    key(buttons()[0] as Element, "ArrowRight");
    await eventually(() => expect(stops()).toEqual([-1, 0, -1]));
    expect(document.activeElement).toBe(buttons()[1]);
    key(buttons()[1] as Element, "Delete");
    await eventually(() => expect(chips()).toEqual(["Circle", "Triangle"]));
    await eventually(() => expect(document.activeElement).toBe(buttons()[1]));
  });

  test.each([
    [420, "true"],
    [800, "false"],
  ])("fold into the menu where %i px have no room for them", async (width, folded) => {
    vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(width);
    const at = await bar();
    for (const index of [0, 1, 2, 3]) await at.session.store.actions.filterClass(index, { add: true });
    expect(at.root.querySelector<HTMLElement>(".penstock-grid-bar")?.dataset.folded).toBe(folded);
    expect(at.find("filter-menu").textContent).toContain("4 filters");
    const panel = await open(at);
    expect(panel.querySelectorAll(".penstock-chip-text").length).toBe(4);
  });
});

describe("the filter's menu", () => {
  test.each(["edited", "selected", "unlabeled", "unreadable"] as const)("shows only %s samples", async (state) => {
    const at = await bar({ broken: [11, 30] });
    at.session.grid.toggle(4);
    at.session.grid.settle();
    await eventually(() => expect(at.kernel.grid().selection).toEqual([[4, 5]]));
    const panel = await open(at);
    panel.querySelector<HTMLInputElement>(`[data-testid=penstock-state-${state}]`)?.click();
    const expected = { edited: 0, selected: 1, unlabeled: 0, unreadable: 2 }[state];
    await eventually(() => expect(at.counts()).toBe(`${expected} of 60`));
    expect(at.sent("grid.check_images").length).toBe(state === "unreadable" ? 1 : 0);
  });

  test("writes the filter into the query, and nothing is filtered then", async () => {
    const at = await bar();
    await at.session.store.actions.filterClass(1);
    const before = at.session.store.gridSize.value;
    const panel = await open(at);
    panel.querySelector<HTMLElement>("[data-testid=penstock-filter-query]")?.click();
    await eventually(() => expect(at.session.store.text.value).toBe("select * where contains(labels, 'Square')"));
    expect(at.counts()).toBe(`${before} of 60`);
    expect(at.chips()).toEqual(["contains(labels, 'Square')"]);
  });

  test("writes the selection into the query, that which was never sent too", async () => {
    const at = await bar();
    const panel = await open(at);
    const button = panel.querySelector<HTMLButtonElement>("[data-testid=penstock-selection-query]");
    expect(button?.disabled).toBe(true);
    at.session.grid.toggle(2);
    at.session.grid.toggle(5);
    await eventually(() => expect(button?.disabled).toBe(false));
    button?.click();
    await eventually(() => expect(at.session.store.text.value).toBe("select * where uid() in (2, 5)"));
    expect(at.counts()).toBe("2 of 60");
  });

  test("is off without a kernel", async () => {
    const at = await bar();
    await at.session.store.actions.filterClass(1);
    at.session.store.link.value = "dead";
    await eventually(() => expect(at.find<HTMLButtonElement>("filter-menu").disabled).toBe(true));
    expect(at.find<HTMLSelectElement>("sort").disabled).toBe(true);
    expect(at.find<HTMLButtonElement>("chip-remove").disabled).toBe(true);
  });
});

describe("an empty grid", () => {
  test("names the filter that emptied it, and clears it", async () => {
    const { session, find, counts } = await bar();
    await session.store.actions.filterClass(4);
    await session.store.actions.filterClass(5, { add: true });
    await session.store.actions.filterHow("all");
    await session.store.actions.filterState("edited", true);
    await eventually(() =>
      expect(find("empty").textContent).toBe(
        "None of the 60 samples of this query has Ring and Cross and is edited. Clear the filter",
      ),
    );
    find("clear").click();
    await eventually(() => expect(counts()).toBe("60 of 60"));
  });
});

describe("the order", () => {
  test("offers what the dataset has, both ways", async () => {
    const { find, session, sent } = await bar();
    const sort = find<HTMLSelectElement>("sort");
    await eventually(() => expect(sort.textContent).toContain("largest box"));
    const words = [...sort.options].map((option) => option.textContent);
    for (const one of [
      "as queried",
      "row",
      "most labels",
      "smallest box",
      "largest image",
      "drawn most often",
      "score ↓",
    ])
      expect(words).toContain(one);
    sort.value = [...sort.options].find((option) => option.textContent === "smallest box")?.value ?? "";
    sort.dispatchEvent(new Event("change", { bubbles: true }));
    await eventually(() => expect(session.grid.sort.value).toBe("box_area"));
    expect([session.grid.descending.value, sent("grid.sort")]).toEqual([
      false,
      [{ sort: "box_area", descending: false }],
    ]);
    await eventually(() => expect(sort.selectedOptions[0]?.textContent).toBe("smallest box"));
  });

  test("keeps what is selected, wherever it is then", async () => {
    const { session, kernel } = await bar();
    session.grid.toggle(7);
    session.grid.settle();
    await eventually(() => expect(kernel.grid().selection).toEqual([[7, 8]]));
    await session.grid.sortBy("row", true);
    expect(session.grid.selection.value).toEqual([[52, 53]]);
    expect(session.grid.numSelected.value).toBe(1);
  });
});

describe("a selection under a filter", () => {
  test("keeps what is not shown when a sample joins it, and drops it when it is replaced", async () => {
    const { session, sent } = await bar();
    session.grid.toggle(1);
    session.grid.settle();
    session.grid.go(2, false);
    session.grid.go(4, true);
    session.grid.settle();
    expect(sent("select.set").map((args) => args.keep_hidden)).toEqual([true, false]);
  });
});
