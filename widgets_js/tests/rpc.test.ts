// @vitest-environment node
import { describe, expect, it, vi } from "vitest";
import { FakeModel } from "../dev/fake-model.ts";
import { isCancelled, Rpc } from "../src/session/rpc.ts";

function setUp() {
  const model = new FakeModel();
  return { model, rpc: new Rpc(model) };
}

describe("rpc", () => {
  it("resolves a request with the result and buffers of its own id", async () => {
    const { model, rpc } = setUp();
    const answer = rpc.call("query.format", { text: "x" });
    model.reply(model.sent[0]?.id ?? "", { text: "y" }, [new Uint8Array([7]).buffer]);
    const { result, buffers } = await answer;
    expect(result).toEqual({ text: "y" });
    expect(buffers[0]?.getUint8(0)).toBe(7);
  });

  it("hands the news of a reply to another view on, once", () => {
    const { model, rpc } = setUp();
    rpc.onEvent = vi.fn();
    const result = { grid: { size: 3 } };
    model.emit("msg:custom", { v: 1, id: "0123456789abcdef:1", ok: true, result, news: "grid" }, [new ArrayBuffer(1)]);
    model.emit("msg:custom", { v: 1, id: "0123456789abcdef:2", ok: false, error: { code: "X", message: "x" } }, []);
    expect(rpc.onEvent).toHaveBeenCalledTimes(1);
    expect(rpc.onEvent).toHaveBeenCalledWith({ v: 1, event: "grid", ...result }, [expect.any(DataView)]);
  });

  it("takes the answer to its own request as an answer alone, news or not", async () => {
    const { model, rpc } = setUp();
    rpc.onEvent = vi.fn();
    const answer = rpc.call("grid.sort", { sort: "row" });
    model.emit("msg:custom", { v: 1, id: model.sent[0]?.id, ok: true, result: { grid: {} }, news: "grid" }, []);
    expect((await answer).result).toEqual({ grid: {} });
    expect(rpc.onEvent).not.toHaveBeenCalled();
  });

  it("drops replies to other views", async () => {
    const { model, rpc } = setUp();
    const answer = rpc.call("query.format", { text: "x" });
    model.reply("0123456789abcdef:1", { text: "foreign" });
    model.reply(model.sent[0]?.id ?? "", { text: "own" });
    expect((await answer).result).toEqual({ text: "own" });
  });

  it("gives two views different ids", () => {
    const model = new FakeModel();
    expect(new Rpc(model).viewId).not.toBe(new Rpc(model).viewId);
  });

  it("cancels the older request of a lane and never delivers its late answer", async () => {
    const { model, rpc } = setUp();
    const older = rpc.call("query.lint", { text: "a" }, { lane: "lint" });
    const newer = rpc.call("query.lint", { text: "b" }, { lane: "lint" });
    await expect(older).rejects.toSatisfy(isCancelled);
    expect(model.sent.map((request) => request.op)).toEqual(["query.lint", "cancel", "query.lint"]);
    expect(model.sent[1]?.id).toBe(model.sent[0]?.id);
    model.reply(model.sent[0]?.id ?? "", { diagnostics: ["late"] });
    model.reply(model.sent[2]?.id ?? "", { diagnostics: [] });
    expect((await newer).result).toEqual({ diagnostics: [] });
  });

  it("cancels by signal", async () => {
    const { model, rpc } = setUp();
    const abort = new AbortController();
    const page = rpc.call("grid.page", { start: 0, stop: 9, size: 96 }, { signal: abort.signal });
    abort.abort();
    await expect(page).rejects.toSatisfy(isCancelled);
    expect(model.sent.at(-1)).toMatchObject({ op: "cancel", id: model.sent[0]?.id });
  });

  it("rejects with the kernel's error, its span included", async () => {
    const { model, rpc } = setUp();
    const answer = rpc.call("query.run", { text: "select" });
    model.refuse(model.sent[0]?.id ?? "", { code: "QuerySyntaxError", message: "no", from: 2, to: 4 });
    await expect(answer).rejects.toMatchObject({ error: { code: "QuerySyntaxError", from: 2, to: 4 } });
  });

  it("reports a thrown send as no kernel", async () => {
    const { model, rpc } = setUp();
    model.onSend = () => {
      throw new Error("Cannot send");
    };
    await expect(rpc.call("hello", {})).rejects.toMatchObject({ error: { code: "NoKernel" } });
  });

  it("hands progress to the request it belongs to and other events to the session", () => {
    const { model, rpc } = setUp();
    const onProgress = vi.fn();
    rpc.onEvent = vi.fn();
    void rpc.call("query.run", { text: "x" }, { onProgress });
    model.emit(
      "msg:custom",
      { v: 1, event: "progress", id: model.sent[0]?.id, done: 3, total: 9, what: "reading" },
      [],
    );
    model.emit("msg:custom", { v: 1, event: "warning", message: "low disk" }, []);
    expect(onProgress).toHaveBeenCalledWith(3, 9, "reading");
    expect(rpc.onEvent).toHaveBeenCalledTimes(1);
  });
});
