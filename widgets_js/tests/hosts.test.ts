// The stub and the real views in hosts that differ in what they offer: how the runtime is found, what buffers are, where
// an element lies. JupyterLab, Notebook 7 and marimo run in a browser (tests/ui); these are told by what they do.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeKernel } from "../dev/fake-kernel.ts";
import { FakeModel } from "../dev/fake-model.ts";
import { views } from "../src/runtime/index.ts";
import stub from "../src/runtime/stub.ts";

const BUNDLES = Symbol.for("penstock.bundles");
const runtime = {
  get: (key: string) => ({ code: new Uint8Array(), sha: "host", _css: ".penstock { color: red }" })[key],
};

interface Host {
  context: (model: FakeModel) => object;
  buffers: (bytes: ArrayBuffer) => unknown;
  shadow?: boolean;
}

/** A part of a larger message, at a place where no array of doubles may begin. */
function misplaced(bytes: ArrayBuffer): DataView {
  const whole = new Uint8Array(bytes.byteLength + 3);
  whole.set(new Uint8Array(bytes), 3);
  return new DataView(whole.buffer, 3);
}

function managed(model: FakeModel): object {
  const manager = { get_model: vi.fn(async () => runtime) };
  return { model: Object.assign(model, { widget_manager: manager }) };
}

const HOSTS: Record<string, Host> = {
  "JupyterLab 4": {
    context: (model) => ({ model, host: { getModel: async () => runtime } }),
    buffers: (bytes) => new DataView(bytes),
  },
  "VS Code": { context: managed, buffers: misplaced },
  Colab: { context: managed, buffers: (bytes) => bytes },
  marimo: {
    context: (model) => ({ model, host: { getModel: async () => runtime } }),
    buffers: (bytes) => new Uint8Array(bytes),
    shadow: true,
  },
};

function modelOf(host: Host): FakeModel {
  const model = new FakeModel({ _kind: "explorer", _runtime: "anywidget:m1", query: "select *" });
  const kernel = new FakeKernel({ numSamples: 20 });
  model.onSend = ({ op, id, args }) => {
    if (op === "cancel") return;
    kernel.answer(op, args).then(
      ({ result, buffers }) => model.reply(id, result, buffers.map(host.buffers)),
      (error) => model.refuse(id, error),
    );
  };
  return model;
}

let unmount: (() => void) | undefined;

beforeEach(() => {
  (globalThis as Record<symbol, unknown>)[BUNDLES] = new Map([["host", Promise.resolve({ views })]]);
});
afterEach(() => unmount?.());

async function shownIn(host: Host): Promise<{ el: HTMLElement; root: Document | ShadowRoot }> {
  const place = document.createElement("div");
  document.body.replaceChildren(place);
  const el = document.createElement("div");
  (host.shadow ? place.attachShadow({ mode: "open" }) : place).append(el);
  const context = { ...host.context(modelOf(host)), el } as unknown as Parameters<typeof stub.render>[0];
  unmount = await stub.render(context);
  await vi.waitFor(() => expect(el.querySelector<HTMLElement>(".penstock")?.dataset.link).toBe("live"), 4000);
  return { el, root: el.getRootNode() as Document | ShadowRoot };
}

function ourSheets(root: Document | ShadowRoot): number {
  const sheets = root.adoptedStyleSheets ?? []; // the query's editor has one too
  return sheets.filter((sheet) => sheet.cssRules[0]?.cssText.includes("color: red")).length;
}

describe.each(Object.entries(HOSTS))("in %s", (_name, host) => {
  it("the Explorer is drawn from the buffers that come", async () => {
    const { el } = await shownIn(host);
    await vi.waitFor(
      () => expect(el.querySelectorAll("[data-testid=penstock-grid] img").length).toBeGreaterThan(0),
      4000,
    );
  });

  it("the style sheet is where the element is", async () => {
    const { root } = await shownIn(host);
    expect(ourSheets(root)).toBe(host.shadow ? 1 : 0); // elsewhere the host brings it
    const again = await shownIn(host);
    expect(ourSheets(again.root)).toBe(host.shadow ? 1 : 0);
  });
});

it("a host that gives no access to other models is told so in a sentence", async () => {
  const el = document.createElement("div");
  const context = { model: new FakeModel(), el } as unknown as Parameters<typeof stub.render>[0];
  await stub.render(context);
  expect(el.textContent).toContain("this front end gives no access to other widget models");
});
