// @vitest-environment node
import { describe, expect, it, vi } from "vitest";
import { answer, type PageContent, StaticModel } from "../src/runtime/static-model.ts";
import type { Tile } from "../src/session/protocol.ts";

function tile(position: number, image: number): Tile {
  const sizes = { width: 8, height: 8, labels: [], boxes: [] };
  return {
    position,
    row: position,
    uid: `${100 + position}`,
    image,
    shapes: position === 2 ? 0 : -1,
    ...sizes,
    edited: false,
    error: null,
  };
}

const PAGE: PageContent = {
  state: { _kind: "explorer", query: "select *", weights: btoa(String.fromCharCode(0, 0, 0, 0, 0, 0, 240, 63)) },
  code: "",
  replies: { "weights.set": { result: {}, buffers: [btoa("ab")] } },
  tiles: [
    { reply: tile(0, 0), jpeg: btoa("zero"), shapes: "" },
    { reply: tile(1, -1), jpeg: "", shapes: "" },
    { reply: tile(2, 0), jpeg: btoa("two"), shapes: btoa("\x08\x00\x01\x00") },
  ],
  token: "t",
};

function text(view: DataView | undefined): string {
  return view === undefined ? "" : new TextDecoder().decode(view);
}

describe("a page without a kernel", () => {
  it("answers a page of the grid with its tiles, each with its place among the buffers", () => {
    const found = answer(PAGE, { id: "a:1", op: "grid.page", args: { start: 1, stop: 9 } });
    expect(found?.result).toMatchObject({ tiles: [{ image: -1 }, { image: 2, shapes: 3 }], pool_size: 3, token: "t" });
    expect(found?.buffers.map(text)).toEqual(["", "", "two", "\x08\x00\x01\x00"]);
  });

  it.each([{ position: 2 }, { uid: "102" }])("finds a sample by %o", (args) => {
    const found = answer(PAGE, { id: "a:1", op: "sample.get", args });
    expect(found?.result).toMatchObject({ sample: { row: 2, image: 0, shapes: 1, fields: [], before: null } });
    const [jpeg, shapes] = found?.buffers ?? [];
    expect(text(jpeg)).toBe("two");
    expect([shapes?.getFloat64(0, true), shapes?.getFloat64(8, true)]).toEqual([8, 1]);
  });

  it("answers what was kept, with its buffers", () => {
    const found = answer(PAGE, { id: "a:1", op: "weights.set", args: {} });
    expect(found?.buffers.map(text)).toEqual(["ab"]);
  });

  it.each(["query.run", "edit.undo"] as const)("does not answer %s", (op) =>
    expect(answer(PAGE, { id: "a:1", op, args: {} })).toBeNull(),
  );

  it("refuses in a sentence what only a kernel can do", async () => {
    const model = new StaticModel(PAGE);
    const heard = vi.fn();
    model.on("msg:custom", heard);
    model.send({ v: 1, id: "a:1", op: "query.run", args: {} });
    await Promise.resolve();
    const [message, buffers] = heard.mock.calls[0] ?? [];
    expect(message).toMatchObject({ id: "a:1", ok: false, error: { code: "StaticPage" } });
    expect(message.error.message).toMatch(/Run the notebook/);
    expect(buffers).toEqual([]);
  });

  it("gives weights as doubles and tells of what is set until it is no longer listened to", () => {
    const model = new StaticModel(PAGE);
    expect(model.get("weights")?.getFloat64(0, true)).toBe(1);
    const heard = vi.fn();
    model.on("change:unit", heard);
    model.set("unit", "samples");
    model.off("change:unit", heard);
    model.set("unit", "instances");
    expect(heard).toHaveBeenCalledTimes(1);
    expect(model.get("unit")).toBe("instances");
  });
});
