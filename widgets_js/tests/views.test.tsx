// Every kind of view, mounted on the scripted kernel: what it shows, what it owes to keys and readers, how it goes away.
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeKernel, type FakeOptions } from "../dev/fake-kernel.ts";
import { FakeModel } from "../dev/fake-model.ts";
import { views } from "../src/runtime/index.ts";
import type { WidgetState } from "../src/session/protocol.ts";
import { FOCUSABLE_SELECTOR } from "../src/ui/focus.ts";

const HOSTILE = [
  `<img src=x onerror="alert(1)">`,
  `"><script>alert(1)</script>`,
  "javascript:alert(1)",
  "'; drop",
  "\u2028",
  "Cross",
];
const KINDS = ["explorer", "browser", "label_editor", "query_editor", "weight_tuner", "coverage_view"] as const;
const settle = (ms = 60): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 4000, interval: 10 });

function isDrawn(el: HTMLElement): boolean {
  const cell = el.querySelector("[role=gridcell]");
  const labels = el.querySelector("[data-testid=penstock-labels]");
  const waits =
    cell?.getAttribute("aria-label")?.includes("loading") || (el.querySelector(".penstock-stage") && !labels);
  return el.querySelector<HTMLElement>(".penstock")?.dataset.link === "live" && !waits;
}

interface Mounted {
  el: HTMLElement;
  model: FakeModel;
  kernel: FakeKernel;
  unmount: () => void;
}

let mounted: Mounted | null = null;

async function mount(kind: WidgetState["_kind"], options: FakeOptions = {}, mute = false): Promise<Mounted> {
  const model = new FakeModel({ _kind: kind, query: "select *" });
  const kernel = new FakeKernel({ numSamples: 40, ...options });
  model.onSend = ({ op, id, args }) => {
    if (mute || op === "cancel") return;
    kernel.answer(op, args).then(
      ({ result, buffers }) => model.reply(id, result, buffers),
      (error) => model.refuse(id, error),
    );
  };
  const el = document.createElement("div");
  document.body.replaceChildren(el);
  const unmount = views[kind]?.({ model, el }) ?? (() => {});
  mounted = { el, model, kernel, unmount };
  if (mute) await settle();
  else await eventually(() => expect(isDrawn(el)).toBe(true));
  return mounted;
}

/** The first sample is chosen by key: its panel opens. */
async function openSample(el: HTMLElement): Promise<void> {
  find(el, "grid").dispatchEvent(new KeyboardEvent("keydown", { key: "Home", bubbles: true, cancelable: true }));
  await eventually(() => find(el, "labels"));
}

const find = (el: HTMLElement, id: string): HTMLElement => {
  const found = el.querySelector<HTMLElement>(`[data-testid=penstock-${id}]`);
  if (found === null) throw new Error(`no ${id}`);
  return found;
};

beforeAll(() => {
  HTMLElement.prototype.setPointerCapture ??= () => {};
});
beforeEach(() => {
  localStorage.clear();
  vi.spyOn(URL, "createObjectURL").mockReturnValue("blob:x");
  vi.spyOn(URL, "revokeObjectURL").mockReturnValue(undefined);
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(494);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(300);
});
afterEach(() => {
  mounted?.unmount();
  mounted = null;
  vi.restoreAllMocks();
});

describe.each(KINDS)("%s", (kind) => {
  it("says when it has drawn, before any answer of the kernel", async () => {
    const { el } = await mount(kind, {}, true);
    const root = el.querySelector<HTMLElement>(".penstock");
    expect(root?.dataset.testid).toBe(`penstock-${kind.replace("_", "-")}`);
    await eventually(() => expect(root?.dataset.ready).toBe("1"));
    expect(root?.dataset.link).toBe("connecting");
  });

  it("keeps the notebook's shortcuts off every element that takes focus", async () => {
    const { el } = await mount(kind);
    const bare = [...el.querySelectorAll<HTMLElement>(FOCUSABLE_SELECTOR)].filter(
      (one) => one.dataset.lmSuppressShortcuts !== "true",
    );
    expect(bare.map((one) => one.className)).toEqual([]);
  });

  it("gives every button and field a name", async () => {
    const { el } = await mount(kind);
    const nameless = [...el.querySelectorAll<HTMLInputElement>("button, input, select, textarea")].filter(
      (one) =>
        !(one.textContent?.trim() || one.getAttribute("aria-label") || one.labels?.length || one.closest("label")),
    );
    expect(nameless.map((one) => one.className)).toEqual([]);
  });

  it("shows class names as text, whatever they are", async () => {
    const { el } = await mount(kind, { classNames: HOSTILE });
    expect(el.querySelectorAll("script, img[onerror], [onerror]")).toHaveLength(0);
    expect([...el.querySelectorAll("img")].every((one) => one.getAttribute("src") === "blob:x")).toBe(true);
  });

  it("leaves nothing in the page when it goes", async () => {
    const { el, unmount } = await mount(kind);
    unmount();
    await eventually(() => expect(el.childElementCount).toBe(0));
    await eventually(() => expect(document.querySelector(".penstock-portal")).toBeNull());
  });
});

describe("what was opened", () => {
  it.each([
    ["frozen view", "Frozen view: charts count its rows"],
    ["view", "View: charts count its rows"],
  ] as const)("is written beside the pool where it is a %s", async (opened, text) => {
    const { el } = await mount("explorer", { opened });
    expect(el.querySelector("[data-testid=penstock-opened]")?.textContent).toContain(text);
  });

  it("is not written where it is the dataset", async () => {
    const { el } = await mount("explorer");
    expect(el.querySelector("[data-testid=penstock-pool]")).not.toBeNull();
    expect(el.querySelector("[data-testid=penstock-opened]")).toBeNull();
  });
});

describe("the grid", () => {
  it("is one grid of the pool's size with rows, numbers and names for readers", async () => {
    const { el } = await mount("explorer", { broken: [2] });
    const grid = find(el, "grid");
    expect(grid.getAttribute("role")).toBe("grid");
    expect(
      Number(grid.getAttribute("aria-rowcount")) * Number(grid.getAttribute("aria-colcount")),
    ).toBeGreaterThanOrEqual(40);
    const cells = [...grid.querySelectorAll("[role=gridcell]")];
    expect(cells.length).toBeGreaterThan(8);
    expect(cells.length).toBeLessThan(40);
    expect(cells[0]?.getAttribute("aria-label")).toMatch(/^sample 0: /);
    expect(cells[2]?.textContent).toContain("cannot decode");
    expect(cells[2]?.getAttribute("aria-label")).toContain("truncated JPEG");
    expect(grid.getAttribute("aria-activedescendant")).toBe(cells[0]?.id);
  });

  it("moves by arrows, selects with Shift, all with Ctrl+A, and tells the kernel intervals", async () => {
    const { el, kernel } = await mount("explorer");
    const grid = find(el, "grid");
    const press = async (key: string, init: KeyboardEventInit = {}): Promise<void> => {
      grid.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...init }));
      await settle(5);
    };
    await press("ArrowRight");
    await press("ArrowRight");
    expect(grid.querySelector(".penstock-current")?.getAttribute("data-position")).toBe("2");
    await press("ArrowDown", { shiftKey: true });
    expect(grid.querySelectorAll("[aria-selected=true]")).toHaveLength(5);
    await press("a", { ctrlKey: true });
    await settle(150);
    expect(kernel.log.filter(({ op }) => op === "select.set").at(-1)?.args).toMatchObject({ intervals: [[0, 40]] });
    await press("Escape");
    expect(grid.querySelectorAll("[aria-selected=true]")).toHaveLength(0);
  });
});

describe("the sample", () => {
  it("loses a class by its chip, says so, and gets it back by undo", async () => {
    const { el, kernel } = await mount("explorer");
    await openSample(el);
    const chips = (): string[] =>
      [...find(el, "labels").querySelectorAll<HTMLElement>("[data-label]")].map((chip) => chip.dataset.label ?? "");
    const before = chips();
    find(el, "labels").querySelector<HTMLElement>("[aria-label^=Remove]")?.click();
    await eventually(() => expect(chips()).toEqual(before.slice(1)));
    expect(kernel.log.find(({ op }) => op === "edit.labels")?.args).toMatchObject({ uid: "0" });
    expect(find(el, "edits").textContent).toBe("1 unsaved edit");
    expect(find(el, "toast").textContent).toContain("changed the labels of sample 0");
    find(el, "grid").dispatchEvent(new KeyboardEvent("keydown", { key: "z", ctrlKey: true, bubbles: true }));
    await eventually(() => expect(chips()).toEqual(before));
  });

  it("has the list of classes behind a chip", async () => {
    const { el, kernel } = await mount("explorer");
    await openSample(el);
    const chip = find(el, "labels").querySelector<HTMLElement>("[data-label] button");
    const panel = chip?.nextElementSibling;
    panel?.dispatchEvent(Object.assign(new Event("toggle"), { newState: "open" })); // happy-dom opens no popover
    await eventually(() => find(el, "class-choices"));
    find(el, "class-choices").querySelector<HTMLElement>("[role=option][data-class=Ring]")?.click();
    await eventually(() =>
      expect(kernel.log.find(({ op }) => op === "edit.labels")?.args).toMatchObject({ labels: [4, 3] }),
    );
  });
});

describe("what the kernel keeps", () => {
  const again = async (first: Mounted): Promise<HTMLElement> => {
    const el = document.createElement("div");
    document.body.append(el);
    first.unmount();
    const unmount = views.explorer?.({ model: first.model, el }) ?? (() => {});
    mounted = { ...first, el, unmount };
    await eventually(() => expect(isDrawn(el)).toBe(true));
    return el;
  };

  it("is shown again after a reload: filter, order, selection, tiles, the sample", async () => {
    const first = await mount("explorer");
    const { kernel } = first;
    const all = kernel.grid().size;
    await eventually(() => find(first.el, "classes"));
    find(first.el, "classes").querySelector<HTMLElement>("[data-class=Square] [data-cell=name]")?.click();
    await eventually(() => expect(find(first.el, "grid").dataset.pool).not.toBe(String(all)));
    const sort = find(first.el, "sort") as HTMLSelectElement;
    sort.value = "labels";
    sort.dispatchEvent(new Event("change", { bubbles: true }));
    await eventually(() => expect(kernel.grid().sort).toBe("labels"));
    await settle(30);
    const grid = find(first.el, "grid");
    for (const key of ["ArrowRight", "ArrowRight", " "]) {
      grid.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
      await settle(5);
    }
    first.el.querySelector<HTMLElement>("[aria-label='large tiles']")?.click();
    await eventually(() => expect(kernel.grid().selection).toEqual([[2, 3]]));
    await eventually(() => find(first.el, "detail")); // its code comes when it is first needed
    const uid = find(first.el, "detail").dataset.uid;
    await settle(400);
    const el = await again(first);
    await eventually(() => expect(find(el, "detail").dataset.uid).toBe(uid));
    const shown = find(el, "grid");
    expect(shown.dataset.pool).toBe(String(kernel.grid().size));
    expect(el.querySelector(".penstock-bar .penstock-pill")?.textContent).toContain("Square");
    expect((find(el, "sort") as HTMLSelectElement).value).toBe("labels");
    expect([...shown.querySelectorAll<HTMLElement>("[aria-selected=true]")].map((one) => one.dataset.position)).toEqual(
      ["2"],
    );
    expect(find(el, "selection-menu").textContent).toContain("1 selected");
    expect(el.querySelector("[aria-label='large tiles']")?.getAttribute("aria-pressed")).toBe("true");
  }, 15_000);

  it("is that the charts are behind the dataset, until they are brought up", async () => {
    const { el, model, kernel } = await mount("explorer");
    expect(el.querySelector("[data-testid=penstock-behind]")).toBeNull();
    kernel.behind = { message: "another session has written to the dataset since", remedy: "update" };
    const { result } = await kernel.answer("hello", {});
    model.emit("msg:custom", { v: 1, event: "dataset", dataset: (result as { dataset: object }).dataset }, []);
    await eventually(() => expect(find(el, "behind").textContent).toContain("Another session has written"));
    find(el, "update").click();
    await eventually(() => expect(el.querySelector("[data-testid=penstock-behind]")).toBeNull());
    expect(kernel.log.some(({ op }) => op === "dataset.update")).toBe(true);
  });

  it("is never mixed: a selection of samples that are no longer shown is refused", async () => {
    const { el, kernel, model } = await mount("explorer");
    const state = { ...kernel.grid(), token: "older" };
    model.emit("msg:custom", { v: 1, event: "grid", grid: state }, []);
    find(el, "grid").dispatchEvent(new KeyboardEvent("keydown", { key: "a", ctrlKey: true, bubbles: true }));
    await eventually(() => expect(find(el, "live").textContent).toContain("select again"));
    expect(el.querySelectorAll("[role=gridcell][aria-selected=true]")).toHaveLength(0);
  });
});

/** Opens a popover: jsdom opens none. */
function unfold(el: HTMLElement, id: string): void {
  find(el, id).nextElementSibling?.dispatchEvent(Object.assign(new Event("toggle"), { newState: "open" }));
}

describe("bulk edits", () => {
  const select = async (el: HTMLElement, kernel: FakeKernel): Promise<void> => {
    find(el, "grid").dispatchEvent(new KeyboardEvent("keydown", { key: "a", ctrlKey: true, bubbles: true }));
    await eventually(() => expect(kernel.grid().num_selected).toBe(40));
    unfold(el, "selection-menu");
    await eventually(() => find(el, "selection"));
  };

  it("offer no label without a box where each label has one", async () => {
    const { el, kernel } = await mount("explorer");
    await select(el, kernel);
    const add = find(el, "bulk-add") as HTMLButtonElement;
    expect(add.disabled).toBe(true);
    expect(add.title).toContain("each label has a box");
  });

  it("replace a class by another in one step", async () => {
    const { el, kernel } = await mount("explorer", { paired: false });
    await select(el, kernel);
    expect(find(el, "bulk-replace").getAttribute("aria-pressed")).toBe("true");
    const choose = async (name: string): Promise<void> => {
      await eventually(() => expect(document.querySelector(".penstock-choices button")).not.toBeNull());
      const found = [...document.querySelectorAll<HTMLElement>(".penstock-choices button")].find((one) =>
        one.textContent?.includes(name),
      );
      found?.click();
      await settle(20);
    };
    await choose("Circle");
    await choose("Star");
    await eventually(() => expect(kernel.log.some(({ op }) => op === "edit.bulk")).toBe(true));
    expect(kernel.log.find(({ op }) => op === "edit.bulk")?.args).toEqual({
      add: [],
      remove: [],
      replace: [{ from: 0, to: 3 }],
    });
  });
});

describe("a commit that conflicts", () => {
  const conflict = { row: 4, object: 2, tensor: "labels", base: "Star", ours: "Cross", theirs: "<b>Ring</b>" };

  it.each([
    ["keep-mine", "ours"],
    ["take-theirs", "theirs"],
  ])("is a choice: %s", async (button, side) => {
    const { el, kernel } = await mount("explorer");
    await openSample(el);
    find(el, "labels").querySelector<HTMLElement>("[aria-label^=Remove]")?.click();
    await eventually(() => expect(el.querySelector("[data-testid=penstock-edits]")).not.toBeNull());
    kernel.conflicts = [conflict];
    find(el, "edits").click();
    await eventually(() => expect(find(el, "review-count").textContent).toBe("1 of 1 edit selected"));
    const message = find(el, "commit-message") as HTMLTextAreaElement;
    message.value = "mine";
    message.dispatchEvent(new Event("input", { bubbles: true }));
    await settle(10);
    find(el, "commit-now").click();
    await eventually(() => expect(find(el, "conflict").textContent).toContain("Nothing is committed yet"));
    expect([...find(el, "conflict").querySelectorAll("td")].map((one) => one.textContent)).toEqual([
      "4",
      "2",
      "labels",
      "Star",
      "Cross",
      "<b>Ring</b>",
    ]);
    expect(el.querySelector("[data-testid=penstock-edits]")).not.toBeNull();
    find(el, button).click();
    await eventually(() => expect(el.querySelector("[data-testid=penstock-conflict]")).toBeNull());
    const sent = kernel.log.filter(({ op }) => op === "edit.commit").map(({ args }) => args);
    expect(sent).toEqual([
      { message: "mine", token: expect.any(String) },
      { message: "mine", on_conflict: side },
    ]);
  });
});

describe("the header", () => {
  it("commits with a message typed into the page, never a browser dialog", async () => {
    const prompt = vi.fn();
    vi.stubGlobal("prompt", prompt);
    const { el, kernel } = await mount("explorer");
    expect(el.querySelector("[data-testid=penstock-edits]")).toBeNull();
    await openSample(el);
    find(el, "labels").querySelector<HTMLElement>("[aria-label^=Remove]")?.click();
    await eventually(() => find(el, "edits").click());
    await eventually(() => expect(find(el, "review-count").textContent).toBe("1 of 1 edit selected"));
    const field = find(el, "commit-message") as HTMLTextAreaElement;
    expect(find(el, "commit-now").hasAttribute("disabled")).toBe(true);
    field.value = "fix sample 0";
    field.dispatchEvent(new Event("input", { bubbles: true }));
    await eventually(() => expect(find(el, "commit-now").hasAttribute("disabled")).toBe(false));
    find(el, "commit-form").dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    await eventually(() =>
      expect(kernel.log.find(({ op }) => op === "edit.commit")?.args).toMatchObject({ message: "fix sample 0" }),
    );
    await eventually(() => expect(find(el, "left").dataset.region).toBe("grid"));
    expect(prompt).not.toHaveBeenCalled();
    vi.unstubAllGlobals();
  });

  it("offers to balance the classes until a weight differs from 1, then to export", async () => {
    const { el } = await mount("explorer");
    const filled = (id: string) => find(el, id).classList.contains("penstock-primary");
    await eventually(() => expect([filled("balance"), filled("export")]).toEqual([true, false]));
    unfold(el, "balance");
    await eventually(() => expect(el.querySelector("[data-testid=preset-balanced]")).not.toBeNull());
    el.querySelector<HTMLElement>("[data-testid=preset-balanced]")?.click();
    await eventually(() => expect([filled("balance"), filled("export")]).toEqual([false, true]));
  });
});

it("says that the kernel is gone and keeps what it had drawn", async () => {
  const { el, model } = await mount("explorer");
  model.onSend = () => {
    throw new Error("Cannot send");
  };
  model.emit("comm_live_update");
  await eventually(() => find(el, "dead"));
  expect(find(el, "dead").textContent).toContain("Kernel restarted: run this cell again.");
  expect(find(el, "run").hasAttribute("disabled")).toBe(true);
  expect(el.querySelectorAll("[role=gridcell]").length).toBeGreaterThan(8);
});
