// @vitest-environment node
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { PageKernel } from "../src/runtime/page/kernel.ts";
import { kernelOf, type PageContent, StaticModel } from "../src/runtime/static-model.ts";
import type { GridState, QueryState, RpcError, SampleDetail, Tile } from "../src/session/protocol.ts";

const NAMES = ["cat", "dog", "o'neil"];
const LABELS = [[0], [1, 1], [], [0, 2], [2]];
const JPEGS = ["a", "bb", "", "dddd", "e"];
const QUERY = "select * where score > 1 sample by max_weight(contains(labels, 'cat'): 20, True: 1)";

function joined(arrays: readonly { buffer: ArrayBufferLike }[]): ArrayBuffer {
  const parts = arrays.map(({ buffer }) => new Uint8Array(buffer as ArrayBuffer));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes.buffer;
}

function packedSamples(): [NonNullable<PageContent["samples"]>, ArrayBuffer] {
  const ints: [string, number[]][] = [
    ["rows", [10, 11, 12, 13, 14]],
    ["pool", [3, 1]],
    ["edited", [4]],
    ["sides", [8, 6, 8, 6, 0, 0, 8, 6, 8, 6]],
    ["jpeg_lengths", JPEGS.map(({ length }) => length)],
    ["labels0_lengths", LABELS.map(({ length }) => length)],
    ["labels0", LABELS.flat()],
    ["boxes_lengths", [0, 4, 0, 0, 0]],
  ];
  const arrays = [
    { name: "uids", dtype: "<i8" as const, data: BigInt64Array.from([100n, 101n, 102n, 103n, 2n ** 60n]) },
    ...ints.map(([name, list]) => ({ name, dtype: "<i4" as const, data: Int32Array.from(list) })),
    { name: "boxes", dtype: "<f4" as const, data: Float32Array.from([1, 2.1, 3, 4]) },
  ];
  const header = {
    num_samples: 5,
    repeats: false,
    tensors: [{ name: "labels", class_names: NAMES, single: false }],
    arrays: arrays.map(({ name, dtype, data }) => ({ name, dtype, length: data.length })),
    errors: { 2: "broken" },
  };
  return [header, joined([...arrays.map(({ data }) => data), new TextEncoder().encode(JPEGS.join(""))])];
}

const LARGE: Tile = {
  position: 0,
  row: 13,
  uid: "103",
  image: 0,
  shapes: 1,
  width: 8,
  height: 6,
  labels: [0, 2],
  boxes: [],
  edited: false,
  error: null,
};
const TILES = [{ tile: LARGE, image: 5, shapes: 4 }];
const TILE_BYTES = joined([new TextEncoder().encode("large"), Int16Array.from([7, -1])]);

function hello(): object {
  const clauses = [
    { expression: "contains(labels, 'cat')", label: "cat", class_index: 0, weight: 20, from: 71, to: 73 },
    { expression: "True", label: "everything else", class_index: null, weight: 1, from: 81, to: 82 },
  ];
  const query = {
    text: QUERY,
    kind: "rows",
    pool_size: 2,
    clauses,
    combine: "max",
    has_sampling: true,
    mode: "iid",
    seed: 0,
  };
  const grid = {
    rev: 0,
    filter: { classes: [], how: "any", states: [] },
    descending: false,
    sort: "query",
    size: 2,
    token: "t",
    data: "d",
    selection: [],
    num_selected: 0,
  };
  return {
    dataset: { label_tensor: "labels", class_names: NAMES },
    query,
    grid,
    history: [QUERY],
    views: [],
    draft: null,
  };
}

function page(samples: PageContent["samples"]): PageContent {
  const weights = btoa(String.fromCharCode(0, 0, 0, 0, 0, 0, 240, 63));
  const kept = { result: hello(), buffers: [btoa("kept")] };
  return { state: { _kind: "explorer", weights }, code: "", extra: btoa("second"), hello: kept, tiles: TILES, samples };
}

function text(view: DataView | undefined): string {
  return view === undefined ? "" : new TextDecoder().decode(view);
}

let kernel: PageKernel;

function ask<T>(op: string, args: object = {}): { result: T; buffers: DataView[] } {
  const found = kernel.answer(op, args);
  if (!("result" in found)) throw new Error(found.message);
  return found as { result: T; buffers: DataView[] };
}

function refused(op: string, args: object = {}): RpcError {
  const found = kernel.answer(op, args);
  if ("result" in found) throw new Error(`${op} was answered`);
  return found;
}

function rowsShown(): number[] {
  const { tiles } = ask<{ tiles: Tile[] }>("grid.page", { start: 0, stop: 99, size: 160 }).result;
  return tiles.map(({ row }) => row);
}

describe("a page that holds every sample", () => {
  beforeEach(() => {
    kernel = kernelOf(page(packedSamples()[0]), TILE_BYTES, packedSamples()[1]);
  });

  it("starts with the query that Python ran", () => {
    const { result, buffers } = ask<{ query: QueryState; page: { answers: string[] } }>("hello");
    expect([result.query.text, buffers.map(text)]).toEqual([QUERY, ["kept"]]);
    expect(result.page.answers).toContain("grid.filter");
    expect(result.page.answers).not.toContain("edit.labels");
    expect(rowsShown()).toEqual([13, 11]);
  });

  it("gives the large thumbnail where there is one, else the small one", () => {
    const { result, buffers } = ask<{ tiles: Tile[] }>("grid.page", { start: 0, stop: 9, size: 160 });
    expect(result.tiles).toMatchObject([
      { uid: "103", image: 0, shapes: 1 },
      { uid: "101", image: 2, shapes: -1, labels: [1, 1], boxes: [1, 2.1, 3, 4], width: 8, height: 6 },
    ]);
    expect([text(buffers[0]), text(buffers[2])]).toEqual(["large", "bb"]);
  });

  it("says why a sample has no thumbnail, and whole uids", () => {
    ask("query.run", { text: "select *" });
    const { tiles } = ask<{ tiles: Tile[] }>("grid.page", { start: 2, stop: 5, size: 160 }).result;
    expect(tiles).toMatchObject([
      { image: -1, error: "broken" },
      { image: 0, error: null },
      { uid: String(2n ** 60n), edited: true },
    ]);
  });

  it.each([
    ["select * where contains(labels, 'dog')", [11]],
    ["select * where not contains(labels, 'cat')", [11, 12, 14]],
    ["select *", [10, 11, 12, 13, 14]],
    [QUERY.replace("20", "3.5"), [13, 11]],
  ])("runs %s", (query, rows) => {
    const { result } = ask<{ query: QueryState; grid: GridState }>("query.run", { text: query, seed: 5 });
    expect([rowsShown(), result.query.pool_size, result.grid.size]).toEqual([rows, rows.length, rows.length]);
    expect([result.query.text, result.query.seed, result.grid.rev]).toEqual([query, 5, 1]);
  });

  it("leaves everything as it was where it cannot run", () => {
    const { code, message } = refused("query.run", { text: "select * where score > 2" });
    expect([code, message]).toEqual(["StaticPage", expect.stringMatching(/This needs a kernel/)]);
    expect(ask<{ query: QueryState }>("hello").result.query.text).toBe(QUERY);
    expect(rowsShown()).toEqual([13, 11]);
  });

  it("lints with clauses or with the fault and where it is", () => {
    const good = "select * sample by sum_weight(contains(labels, 'o''neil'): 2)";
    const { clauses, combine } = ask<{ clauses: object[]; combine: string }>("query.lint", { text: good }).result;
    expect([clauses, combine]).toEqual([
      [{ expression: "contains(labels, 'o''neil')", label: "o'neil", class_index: 2, weight: 2, from: 59, to: 60 }],
      "sum",
    ]);
    const bad = "select * where contains(labels, 'Dog')";
    expect(ask("query.lint", { text: bad }).result).toMatchObject({
      clauses: null,
      diagnostics: [{ from: 32, to: 37, severity: "error", fix: "'dog'" }],
    });
  });

  it("moves weights, mode and seed, and keeps the place of each number", () => {
    ask("weights.set", { text: QUERY.replace("20", "7"), weights: [7, 1], mode: "deck", seed: 3 });
    const { query } = ask<{ query: QueryState }>("hello").result;
    expect(query).toMatchObject({ mode: "deck", seed: 3, clauses: [{ weight: 7, from: 71, to: 72 }, { from: 80 }] });
  });

  it.each([
    ["select *;", 2, "select * sample by max_weight(contains(labels, 'o''neil'): 2, True: 1);"],
    [
      "select * sample by max_weight(True: 1) limit 9",
      0,
      "select * sample by max_weight(contains(labels, 'cat'): 2, True: 1) limit 9",
    ],
  ])("adds a class to %s", (before, class_index, after) =>
    expect(ask("clause.add", { text: before, class_index, weight: 2 }).result).toEqual({ text: after }),
  );

  it("takes a clause away, with the last one SAMPLE BY", () => {
    const two = "select * sample by max_weight(contains(labels, 'cat'): 2, True: 1)";
    const one = "select * sample by max_weight(True: 1)";
    expect(ask("clause.remove", { text: two, clause: 0 }).result).toEqual({ text: one });
    expect(ask("clause.remove", { text: one, clause: 0 }).result).toEqual({ text: "select *" });
  });

  it("balances by samples with each class, by hand", () => {
    const { text: balanced } = ask<{ text: string }>("clause.preset", {
      text: "select * sample by max_weight(True: 1) replace false limit 3",
      preset: "balanced",
    }).result; // cat 2, dog 1, o'neil 2 samples
    const weights = "contains(labels, 'cat'): 1, contains(labels, 'dog'): 2, contains(labels, 'o''neil'): 1, True: 1";
    expect(balanced).toBe(`select * sample by max_weight(${weights}) replace false limit 3`);
    const raw = ask<{ text: string }>("clause.preset", { text: QUERY, preset: "raw" }).result;
    expect(raw.text).toBe(QUERY.replace("20", "1"));
  });

  it("filters by class and sorts", () => {
    ask("query.run", { text: "select *" });
    const filter = (classes: number[], how: string, states: string[] = []): number[] => {
      ask("grid.filter", { classes, how, states });
      return rowsShown();
    };
    expect(filter([2], "any")).toEqual([13, 14]);
    expect(filter([0, 2], "any")).toEqual([10, 13, 14]);
    expect(filter([0, 2], "all")).toEqual([13]);
    expect(filter([0, 1], "not")).toEqual([12, 14]);
    expect(filter([], "any", ["unlabeled"])).toEqual([12]);
    expect(filter([], "any", ["unreadable"])).toEqual([12]);
    expect(filter([2], "any", ["edited"])).toEqual([14]);
    expect(filter([], "any")).toEqual([10, 11, 12, 13, 14]);
  });

  it.each([
    ["labels", undefined, [11, 13, 10, 14, 12]],
    ["labels", false, [12, 10, 14, 11, 13]],
    ["row", true, [14, 13, 12, 11, 10]],
    ["query", true, [14, 13, 12, 11, 10]],
    ["box_area", undefined, [11, 10, 12, 13, 14]],
    ["image_size", undefined, [10, 11, 13, 14, 12]],
    ["weight", undefined, [11, 10, 13, 12, 14]],
    ["drawn", false, [12, 14, 10, 13, 11]],
  ])("sorts by %s, descending: %s", (sort, descending, rows) => {
    const weights = "max_weight(contains(labels, 'dog'): 9, contains(labels, 'cat'): 2, True: 1)";
    ask("query.run", { text: `select * sample by ${weights}` });
    ask("grid.sort", { sort, descending });
    expect(rowsShown()).toEqual(rows);
  });

  it("sorts anew when the weights that order it have moved, and says so", () => {
    const text = "select * sample by max_weight(contains(labels, 'dog'): 9, contains(labels, 'cat'): 2, True: 1)";
    ask("query.run", { text });
    ask("grid.sort", { sort: "weight" });
    const found = kernel.answer("weights.set", { text: text.replace("9", "0.5"), weights: [0.5, 2, 1] });
    expect(found).toMatchObject({ event: { event: "grid", grid: { sort: "weight" } } });
    expect(rowsShown()).toEqual([10, 13, 11, 12, 14]);
  });

  it("refuses an order it cannot know, and stays as it was", () => {
    expect(refused("grid.sort", { sort: "tensor:score" }).code).toBe("StaticPage");
    expect(refused("grid.sort", { sort: "weight" }).code).toBe("StaticPage"); // the strata of this query are not in the page
    expect(ask<{ grid: GridState }>("hello").result.grid.sort).toBe("query");
  });

  it("takes conditions of WHERE away and writes the filter there", () => {
    const text =
      "select * where (contains(labels, 'cat') or contains(labels, 'dog')) and not contains(labels, 2) limit 9";
    const { conditions } = ask<{ query: QueryState }>("query.run", { text }).result.query;
    expect(conditions.map((one) => one.text)).toEqual([
      "(contains(labels, 'cat') or contains(labels, 'dog'))",
      "not contains(labels, 2)",
    ]);
    const without = (condition: number): unknown => ask("query.without", { text, condition }).result;
    expect(without(0)).toEqual({ text: "select * where not contains(labels, 2) limit 9" });
    expect(without(1)).toEqual({ text: "select * where (contains(labels, 'cat') or contains(labels, 'dog')) limit 9" });
    ask("grid.filter", { classes: [0, 1], how: "any", states: [] });
    const { query, grid } = ask<{ query: QueryState; grid: GridState }>("query.narrow", {
      text: "select * where contains(labels, 2) or true",
      by: "filter",
    }).result;
    expect(query.text).toBe(
      "select * where (contains(labels, 2) or true) and (contains(labels, 'cat') or contains(labels, 'dog'))",
    );
    expect([rowsShown(), grid.filter.classes]).toEqual([[10, 11, 13], []]);
  });

  it("gives the second file of the code", () => expect(ask("runtime.extra").buffers.map(text)).toEqual(["second"]));

  it("keeps what is selected, wherever it is shown", () => {
    const { grid } = ask<{ grid: GridState }>("select.set", { intervals: [[0, 2]] }).result;
    expect([grid.selection, grid.num_selected]).toEqual([[[0, 2]], 2]);
    ask("select.set", { intervals: [[0, 1]] }); // row 13
    expect(ask<{ grid: GridState }>("grid.sort", { sort: "row" }).result.grid.selection).toEqual([[1, 2]]);
    const none = ask<{ grid: GridState }>("grid.filter", { classes: [1], how: "any", states: [] }).result.grid;
    expect([none.selection, none.num_selected]).toEqual([[], 1]);
    const both = ask<{ grid: GridState }>("select.set", { intervals: [[0, 1]], keep_hidden: true }).result.grid;
    expect([both.selection, both.num_selected]).toEqual([[[0, 1]], 2]);
  });

  it.each([
    [{ position: 0 }, { uid: "103", note: null }, "large"],
    [{ uid: "101" }, { position: 1, note: expect.stringContaining("32 pixels") }, "bb"],
    [{ uid: "100" }, { position: -1 }, "a"],
  ])("shows the sample %o", (args, expected, jpeg) => {
    const { result, buffers } = ask<{ sample: SampleDetail }>("sample.get", args);
    expect(result.sample).toMatchObject({ fields: [], before: null, ...expected });
    expect(text(buffers[result.sample.image])).toBe(jpeg);
  });

  it("gives outlines of one sample as doubles", () => {
    const { result, buffers } = ask<{ sample: SampleDetail }>("sample.get", { position: 0 });
    const shapes = buffers[result.sample.shapes];
    expect([shapes?.getFloat64(0, true), shapes?.getFloat64(8, true)]).toEqual([7, -1]);
  });

  it.each(["edit.undo", "export.code", "plan.drawn", "constructor"])("refuses %s in one sentence", (op) =>
    expect(refused(op)).toMatchObject({ code: "StaticPage", message: expect.stringMatching(/Run the notebook/) }),
  );
});

describe("a page of too many samples", () => {
  beforeEach(() => {
    kernel = kernelOf(page(null), TILE_BYTES, new ArrayBuffer(0));
  });

  it("shows the first of them, and other weights of its query", () => {
    expect(rowsShown()).toEqual([13]);
    ask("query.run", { text: QUERY.replace("20", "2") });
    expect(ask<{ sample: SampleDetail }>("sample.get", { uid: "103" }).result.sample.row).toBe(13);
  });

  it.each([
    ["query.run", { text: "select *" }],
    ["clause.preset", { text: QUERY, preset: "balanced" }],
  ])("leaves %s to a kernel", (op, args) => expect(refused(op, args).code).toBe("StaticPage"));
});

describe("the model of a page", () => {
  const model = (): StaticModel =>
    new StaticModel(page(null).state, kernelOf(page(null), TILE_BYTES, new ArrayBuffer(0)));

  it("answers later, as a kernel does", async () => {
    const made = model();
    const heard = vi.fn();
    made.on("msg:custom", heard);
    made.send({ v: 1, id: "a:1", op: "edit.undo", args: {} });
    made.send({ v: 1, id: "a:1", op: "cancel", args: {} });
    expect(heard).not.toHaveBeenCalled();
    await Promise.resolve();
    expect(heard.mock.calls).toEqual([[expect.objectContaining({ id: "a:1", ok: false }), []]]);
  });

  it("gives weights as doubles and tells of what is set until it is no longer listened to", () => {
    const made = model();
    expect(made.get("weights")?.getFloat64(0, true)).toBe(1);
    const heard = vi.fn();
    made.on("change:unit", heard);
    made.set("unit", "samples");
    made.off("change:unit", heard);
    made.set("unit", "instances");
    expect(heard).toHaveBeenCalledTimes(1);
    expect(made.get("unit")).toBe("instances");
  });
});
