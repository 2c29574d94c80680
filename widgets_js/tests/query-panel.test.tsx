// The query box on the scripted kernel: its editor comes later, its errors wait, and without a kernel it is not alive.
import { EditorView } from "@codemirror/view";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeKernel } from "../dev/fake-kernel.ts";
import { FakeModel } from "../dev/fake-model.ts";
import { views } from "../src/runtime/index.ts";

const LONG = `select * sample by max_weight(${["Cross", "Ring", "Star", "Square", "Circle", "Triangle"].map((name, i) => `contains(labels, '${name}'): ${i + 2}`).join(", ")}, True: 1)`;
const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 4000, interval: 10 });

let unmount = (): void => {};

async function open(query = "select *") {
  const model = new FakeModel({ _kind: "query_editor", query });
  const kernel = new FakeKernel({ numSamples: 40 });
  let answers = true;
  model.onSend = ({ op, id, args }) => {
    if (!answers || op === "cancel") return;
    kernel.answer(op, args).then(
      ({ result, buffers }) => model.reply(id, result, buffers),
      (error) => model.refuse(id, error),
    );
  };
  if (query !== "select *") await kernel.answer("query.run", { text: query });
  const el = document.createElement("div");
  document.body.replaceChildren(el);
  unmount = views.query_editor?.({ model, el }) ?? unmount;
  const find = (id: string) => el.querySelector<HTMLElement>(`[data-testid=penstock-${id}]`);
  await eventually(() => expect(el.querySelector(".cm-content")).not.toBeNull());
  const view = EditorView.findFromDOM(el.querySelector<HTMLElement>(".cm-editor") as HTMLElement) as EditorView;
  const type = (text: string): void =>
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text }, userEvent: "input.type" });
  const kill = (): void => {
    answers = false;
    model.send = () => {
      throw new Error("gone");
    };
  };
  return { el, find, view, type, kill, model, kernel };
}

beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(494);
});
afterEach(() => {
  unmount();
  vi.restoreAllMocks();
});

describe("the query box", () => {
  it("says an error after a pause, in one sentence with one fix, and the fix is applied", async () => {
    const { find, type, view } = await open();
    const began = performance.now();
    type("select * where contains(labels, 'Rng')");
    await eventually(() => expect(find("query-error")).not.toBeNull());
    expect(performance.now() - began).toBeGreaterThanOrEqual(800);
    expect(find("query-error")?.textContent).toBe("no class 'Rng' in labels; did you mean'Ring'");
    find("query-error")?.querySelector("button")?.click();
    await eventually(() => expect(find("query-error")).toBeNull());
    expect(view.state.doc.toString()).toBe("select * where contains(labels, 'Ring')");
  });

  it("says the error of a run at once", async () => {
    const { find, type } = await open();
    type("select * where contains(labels, 'Rng')");
    find("run")?.click();
    await vi.waitFor(() => expect(find("query-error")).not.toBeNull(), { timeout: 500, interval: 5 });
  });

  it("says that the text waits for a run, whatever is wrong with it", async () => {
    const { find, type } = await open();
    type("select * wher");
    await eventually(() => expect(find("funnel")?.textContent).toContain("The text has changed; run it"));
  });

  it("folds SAMPLE BY until it is pressed, and again when the focus goes", async () => {
    const { find, view } = await open(LONG);
    await eventually(() => expect(find("fold")?.textContent).toBe("sample by max_weight · 7 clauses ▾"));
    vi.spyOn(view, "focus").mockReturnValue(undefined); // happy-dom reports a selection in the middle of its making
    find("fold")?.dispatchEvent(new MouseEvent("mousedown", { bubbles: true, cancelable: true }));
    expect(find("fold")).toBeNull();
    expect(view.state.doc.toString()).toBe(LONG);
    view.contentDOM.dispatchEvent(new FocusEvent("blur"));
    await eventually(() => expect(find("fold")).not.toBeNull());
  });

  it("unfolds when the caret goes into SAMPLE BY, and when one types", async () => {
    const { find, view } = await open(LONG);
    await eventually(() => expect(find("fold")).not.toBeNull());
    view.dispatch({ selection: { anchor: LONG.indexOf("Ring") } });
    expect(find("fold")).toBeNull();
  });

  it("stays folded while the kernel or a slider changes a number", async () => {
    const { find, view, model } = await open(LONG);
    await eventually(() => expect(find("fold")).not.toBeNull());
    model.set("weights", new DataView(Float64Array.from([9, 3, 4, 5, 6, 7, 1]).buffer));
    await eventually(() => expect(view.state.doc.toString()).toContain("'Cross'): 9"));
    expect(find("fold")).not.toBeNull();
  });

  it("is not alive where the kernel is gone", async () => {
    const { el, find, kill } = await open();
    kill();
    find("run")?.click();
    await eventually(() => expect(find("funnel")?.textContent).toContain("wait for the kernel"));
    expect(find("run")?.hasAttribute("disabled")).toBe(true);
    expect(el.querySelector(".cm-content")?.getAttribute("contenteditable")).toBe("false");
    expect(el.querySelector(".cm-content")?.getAttribute("tabindex")).toBe("0");
    expect(find("history")?.hasAttribute("disabled")).toBe(true);
  });
});
