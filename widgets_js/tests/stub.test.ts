import { gzipSync } from "node:zlib";
import { beforeEach, describe, expect, it, vi } from "vitest";
import stub from "../src/runtime/stub.ts";

const BUNDLES = Symbol.for("penstock.bundles");
type Page = { [BUNDLES]?: Map<string, Promise<unknown>> };
const page = globalThis as Page;

function context(traits: Record<string, unknown>, host?: object, widget_manager?: object) {
  const el = document.createElement("div");
  const model = { get: (key: string) => traits[key], widget_manager };
  return { el, ctx: { el, model, ...(host ? { host } : {}) } as Parameters<typeof stub.render>[0] };
}

const runtime = {
  get: (key: string) => ({ code: gzipSync("export const views = {}"), sha: "abc" })[key as "code" | "sha"],
};
const traits = { _runtime: "anywidget:m1", _kind: "explorer" };

describe("stub", () => {
  const view = vi.fn(() => () => {});
  beforeEach(() => {
    view.mockClear();
    page[BUNDLES] = new Map([["abc", Promise.resolve({ views: { explorer: view } })]]);
  });

  it("hands over to the bundle the page has already, and returns its cleanup", async () => {
    const getModel = vi.fn(async () => runtime);
    const { ctx } = context(traits, { getModel });
    expect(await stub.render(ctx)).toBeTypeOf("function");
    expect(getModel).toHaveBeenCalledWith("anywidget:m1");
    expect(view).toHaveBeenCalledWith(ctx);
  });

  it("asks the widget manager where the host is older", async () => {
    const get_model = vi.fn(async () => runtime);
    const { ctx } = context(traits, undefined, { get_model });
    await stub.render(ctx);
    expect(get_model).toHaveBeenCalledWith("m1");
    expect(view).toHaveBeenCalledOnce();
  });

  it.each([
    ["no way to the runtime", traits, undefined],
    [
      "a kind it does not know",
      { ...traits, _kind: "<img src=x onerror=alert(1)>" },
      { getModel: async () => runtime },
    ],
  ])("shows plain text when there is %s", async (_why, state, host) => {
    const { ctx, el } = context(state, host);
    await stub.render(ctx);
    expect(el.querySelector("[data-testid=penstock-fallback]")?.textContent).toContain("cannot show the widget");
    expect(el.querySelector("img")).toBeNull();
  });

  it("keeps no bundle that failed to load", async () => {
    page[BUNDLES] = new Map();
    const broken = { get: (key: string) => (key === "sha" ? "bad" : new Uint8Array([1, 2, 3])) };
    const { ctx, el } = context(traits, { getModel: async () => broken });
    await stub.render(ctx);
    await Promise.resolve();
    expect(el.textContent).toContain("Run this cell in JupyterLab");
    expect(page[BUNDLES]?.size).toBe(0);
  });
});
