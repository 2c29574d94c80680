// The editor and the panel of the sample over the scripted kernel: each key, and what Escape takes first.
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeKernel, type FakeOptions } from "../dev/fake-kernel.ts";
import { FakeModel } from "../dev/fake-model.ts";
import { views } from "../src/runtime/index.ts";
import type { PanelState } from "../src/session/protocol.ts";

const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 4000, interval: 10 });
const settle = (ms = 20): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const firstLabel = (edit: Record<string, unknown> | undefined): unknown => (edit?.labels as number[] | undefined)?.[0];

let unmount: (() => void) | null = null;

async function mount(options: FakeOptions = {}, kind = "explorer") {
  const model = new FakeModel({ _kind: kind as "explorer", query: "select *" });
  const kernel = new FakeKernel({ numSamples: 30, ...options });
  model.onSend = ({ op, id, args }) => {
    if (op === "cancel") return;
    kernel.answer(op, args).then(
      ({ result, buffers }) => model.reply(id, result, buffers),
      (error) => model.refuse(id, error),
    );
  };
  const el = document.createElement("div");
  document.body.replaceChildren(el);
  unmount = views[kind]?.({ model, el }) ?? null;
  const find = (id: string): HTMLElement | null => el.querySelector(`[data-testid=penstock-${id}]`);
  const need = (id: string): HTMLElement => find(id) as HTMLElement;
  const press = async (key: string, init: KeyboardEventInit = {}): Promise<void> => {
    const target = document.activeElement ?? document.body;
    target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...init }));
    await settle();
  };
  const release = (key: string): void => {
    document.activeElement?.dispatchEvent(new KeyboardEvent("keyup", { key, bubbles: true }));
  };
  const openEditor = async (): Promise<void> => {
    need("grid").focus();
    await press("f");
    await eventually(() => expect(document.activeElement).toBe(find("stage")));
    await eventually(() => expect(find("labels")).not.toBeNull());
    await eventually(() => expect(el.querySelectorAll(".penstock-stage .penstock-box").length).toBe(boxes()));
  };
  const boxes = (): number => (kernel.sample(Number(find("editor")?.dataset.uid ?? 0)).boxes.length ?? 0) / 4;
  const uid = (): string | undefined => find("editor")?.dataset.uid;
  const edits = () => kernel.log.filter(({ op }) => op === "edit.labels").map(({ args }) => args);
  if (kind === "explorer") await eventually(() => expect(find("hint")).not.toBeNull());
  await eventually(() => expect(el.querySelector("[role=gridcell], .penstock-stage")).not.toBeNull());
  return { el, model, kernel, find, need, press, release, openEditor, uid, edits };
}

beforeAll(() => {
  HTMLElement.prototype.setPointerCapture ??= () => {};
});
beforeEach(() => {
  vi.spyOn(URL, "createObjectURL").mockReturnValue("blob:x");
  vi.spyOn(URL, "revokeObjectURL").mockReturnValue(undefined);
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(500);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(300);
});
afterEach(() => {
  unmount?.();
  unmount = null;
  vi.restoreAllMocks();
});

describe("the panel of the sample", () => {
  it("is one line until the first sample is chosen", async () => {
    const { need, find, press } = await mount();
    expect(need("hint").textContent).toBe("Look: click a tile. Label: double-click it, or press F.");
    expect(find("detail")).toBeNull();
    need("grid").focus();
    await press("ArrowRight");
    await eventually(() => expect(find("detail")).not.toBeNull());
    expect(find("hint")).toBeNull();
  });

  it("opens a while after a click, so that a second one lands on the same tile", async () => {
    const { el, find } = await mount();
    el.querySelector<HTMLElement>("[data-position='2']")?.click();
    await settle();
    expect(find("detail")).toBeNull();
    await eventually(() => expect(find("detail")).not.toBeNull());
  });

  it("has an edge that arrows move and a double click sets back, kept over a reload", async () => {
    const { el, need, press, model, find } = await mount();
    need("grid").focus();
    await press("ArrowRight");
    await eventually(() => expect(find("splitter")).not.toBeNull());
    const edge = el.querySelector<HTMLElement>(".penstock-along-y");
    vi.spyOn(HTMLElement.prototype, "getBoundingClientRect").mockReturnValue({ width: 440, height: 520 } as DOMRect);
    edge?.focus();
    await press("ArrowUp");
    await press("ArrowUp");
    expect(need("detail").style.getPropertyValue("--penstock-under")).toBe("176px");
    await eventually(() => expect(model.get("panel") as PanelState).toMatchObject({ opened: true, under: 176 }));
    edge?.dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
    await settle();
    expect(need("detail").style.getPropertyValue("--penstock-under")).toBe("");
  });

  it("has no button that would make up a box", async () => {
    const { need, find, press } = await mount();
    need("grid").focus();
    await press("ArrowRight");
    await eventually(() => expect(find("draw")).not.toBeNull());
    expect(find("add-class")).toBeNull();
    expect(need("draw-class").textContent).not.toBe("");
  });

  it("says the weight and which clause it is from", async () => {
    const { el, need, find, press, kernel } = await mount();
    kernel.answer("query.run", { text: "select *" });
    need("grid").focus();
    await press("ArrowRight");
    await eventually(() => expect(find("detail")).not.toBeNull());
    await eventually(() => expect(el.querySelector(".penstock-facts-list")?.textContent).toContain("no SAMPLE BY"));
  });
});

describe("the editor", () => {
  it.each([["f"], ["Enter"]])("opens with %s and goes back to the tile with Escape", async (key) => {
    const { need, find, press } = await mount();
    need("grid").focus();
    await press("ArrowRight");
    await press(key);
    await eventually(() => expect(document.activeElement).toBe(find("stage")));
    expect(need("left").dataset.region).toBe("image");
    await press("Escape");
    await eventually(() => expect(find("editor")).toBeNull());
    await eventually(() => expect(document.activeElement).toBe(find("grid")));
    expect(need("grid").getAttribute("aria-activedescendant")).toMatch(/-1$/);
  });

  it("walks the samples with arrows", async () => {
    const { press, openEditor, uid } = await mount();
    await openEditor();
    expect(uid()).toBe("0");
    await press("ArrowRight");
    await eventually(() => expect(uid()).toBe("1"));
    await press("ArrowRight");
    await eventually(() => expect(uid()).toBe("2"));
    await press("ArrowLeft");
    await eventually(() => expect(uid()).toBe("1"));
  });

  it("goes to the next sample without a label with U", async () => {
    const { press, openEditor, uid } = await mount({ singleLabel: true });
    await openEditor();
    await press("u");
    await eventually(() => expect(uid()).toBe("9"));
  });

  it("gives the chosen box the class of a key", async () => {
    const { press, openEditor, edits } = await mount();
    await openEditor();
    await press("Tab");
    await press("6");
    await eventually(() => expect(firstLabel(edits()[0])).toBe(5));
  });

  it("takes the box away with Delete, and its label with it", async () => {
    const { press, openEditor, edits, kernel } = await mount();
    await openEditor();
    const before = kernel.sample(0).labels;
    await press("Tab");
    await press("Delete");
    await eventually(() => expect(edits()[0]).toMatchObject({ labels: before.slice(1) }));
  });

  it("writes the class that a drawn box will have", async () => {
    const { press, openEditor, need } = await mount();
    await openEditor();
    await press("n");
    expect(need("draw").getAttribute("aria-pressed")).toBe("true");
    await press("6");
    await eventually(() => expect(need("draw-class").textContent).toContain("Cross"));
    expect(need("aim").textContent).toBe("Class of the next box");
  });

  it("puts the caret into the list with C, where digits are text, and back on the image after a choice", async () => {
    const { press, openEditor, find, need, edits } = await mount();
    await openEditor();
    await press("Tab");
    await press("c");
    await eventually(() => expect(document.activeElement).toBe(find("class-find")));
    await press("3");
    expect(edits()).toEqual([]);
    const field = need("class-find") as HTMLInputElement;
    field.value = "cros";
    field.dispatchEvent(new Event("input", { bubbles: true }));
    await settle();
    await press("Enter");
    await eventually(() => expect(firstLabel(edits()[0])).toBe(5));
    expect(document.activeElement).toBe(find("stage"));
  });

  it("keeps what is typed as soon as the list is there", async () => {
    const { press, openEditor, need } = await mount();
    await openEditor();
    await press("Tab");
    document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key: "c", bubbles: true, cancelable: true }));
    for (let turn = 0; turn < 500 && need("dock").dataset.open !== "true"; turn++) await Promise.resolve();
    expect(need("dock").dataset.open).toBe("true"); // rendered, and not painted yet
    const field = need("class-find") as HTMLInputElement;
    field.value = "cros";
    field.dispatchEvent(new Event("input", { bubbles: true }));
    await settle();
    await settle();
    expect(field.value).toBe("cros");
  });

  it("opens the list for a chip, and × removes the class", async () => {
    const { el, openEditor, find, need, edits, kernel } = await mount();
    await openEditor();
    const before = kernel.sample(0).labels;
    need("labels").querySelector<HTMLElement>("[data-label] button")?.click();
    await eventually(() => expect(document.activeElement).toBe(find("class-find")));
    expect(need("aim").textContent).toBe(`Class of box 1 of ${before.length}`);
    el.querySelector<HTMLElement>("[role=option][data-class=Cross]")?.click();
    await eventually(() => expect(firstLabel(edits()[0])).toBe(5));
    need("labels").querySelector<HTMLElement>("[aria-label='Remove Cross']")?.click();
    await eventually(() => expect(edits()[1]).toMatchObject({ labels: before.slice(1) }));
  });

  it("shows what was committed while B is held", async () => {
    const { press, release, openEditor, need, edits } = await mount();
    await openEditor();
    await press("Tab");
    await press("6");
    await eventually(() => expect(edits()).toHaveLength(1));
    await eventually(() => expect(need("before-after").dataset.value).toBe("after"));
    await press("b");
    expect(need("before-after").dataset.value).toBe("before");
    release("b");
    await eventually(() => expect(need("before-after").dataset.value).toBe("after"));
  });

  it("takes Escape for the list, the zoom, the chosen box, then for the way back", async () => {
    const { press, openEditor, need, find } = await mount();
    await openEditor();
    await press("Tab");
    await press("+");
    await press("c");
    await eventually(() => expect(document.activeElement).toBe(find("class-find")));
    await press("Escape");
    expect(need("dock").dataset.open).toBe("false");
    expect(document.activeElement).toBe(find("stage"));
    const zoom = Number(need("zoom").dataset.zoom);
    await press("Escape");
    await eventually(() => expect(Number(need("zoom").dataset.zoom)).toBeLessThan(zoom));
    expect(need("stage").getAttribute("aria-label")).toContain("selected");
    await press("Escape");
    await eventually(() => expect(need("stage").getAttribute("aria-label")).not.toContain("selected"));
    expect(find("editor")).not.toBeNull();
    await press("Escape");
    await eventually(() => expect(find("editor")).toBeNull());
  });

  it("zooms to the chosen box with Z, and back to the whole image with 0", async () => {
    const { press, openEditor, need } = await mount();
    await openEditor();
    const fit = need("zoom").dataset.zoom;
    await press("Tab");
    await press("z");
    await eventually(() => expect(Number(need("zoom").dataset.zoom)).toBeGreaterThan(Number(fit)));
    await press("0");
    await eventually(() => expect(need("zoom").dataset.zoom).toBe(fit));
    need("zoom-actual").click();
    await eventually(() => expect(need("zoom").dataset.zoom).toBe("1"));
  });

  it("is the whole of a label editor, where there is no grid to go back to", async () => {
    const { find, need } = await mount({}, "label_editor");
    await eventually(() => expect(find("editor")).not.toBeNull());
    expect(find("back")).toBeNull();
    await eventually(() => expect(find("labels")).not.toBeNull());
    expect(need("keys").textContent).toContain("undo");
  });
});
