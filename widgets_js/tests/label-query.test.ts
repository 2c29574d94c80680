// @vitest-environment node
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseQuery, Refusal } from "../src/runtime/page/label-query.ts";
import type { LabelColumn } from "../src/runtime/page/label-rows.ts";
import { ranQuery } from "../src/runtime/page/query-run.ts";
import type { Samples } from "../src/runtime/page/samples.ts";
import type { DatasetInfo, QueryState } from "../src/session/protocol.ts";

const TESTS = join(import.meta.dirname, "..", "..", "tests");

interface Golden {
  class_names: { labels: string[]; kind: string[] };
  labels: number[][];
  kind: number[][];
  queries: { text: string; rows: number[] | null }[];
  sampled: {
    text: string;
    draws: number | null;
    combine: string;
    cap: number | null;
    arrays: Record<string, number[]>;
  }[];
}

const GOLDEN = JSON.parse(readFileSync(join(TESTS, "golden", "label_queries.json"), "utf8")) as Golden;

function column(name: string, classNames: string[], rows: number[][], single: boolean): LabelColumn {
  let end = 0;
  const ends = rows.map((row) => {
    end += row.length;
    return end;
  });
  return { name, classNames, single, offsets: Int32Array.from([0, ...ends]), values: Int32Array.from(rows.flat()) };
}

function samplesOf(columns: LabelColumn[]): Samples {
  const count = (columns[0]?.offsets.length ?? 1) - 1;
  const found = (name: string | null) => columns.find((one) => one.name === name);
  return { count, columns, rows: Int32Array.from({ length: count }, (_, i) => i), column: found } as unknown as Samples;
}

const D = samplesOf([
  column("labels", GOLDEN.class_names.labels, GOLDEN.labels, false),
  column("kind", GOLDEN.class_names.kind, GOLDEN.kind, true),
]);
// dataset T of tests/tql/conftest.py, its class labels only
const T = samplesOf([
  column("label", ["car", "dog", "cat"], [[0], [1], [2], [0], [1], [0]], true),
  column("findings", ["No_Finding", "Hernia", "Mass", "Edema"], [[0], [1, 2], [2], [], [1], [2, 1]], false),
]);

function run(text: string, samples: Samples, labels: string) {
  const dataset = { label_tensor: labels, class_names: samples.column(labels)?.classNames } as unknown as DatasetInfo;
  return ranQuery(text, samples, dataset, {} as QueryState, new Map());
}

function rowsOrCode(text: string, samples: Samples): number[] | string {
  try {
    return Array.from(run(text, samples, samples.columns[0]?.name ?? "").pool);
  } catch (failure) {
    if (!(failure instanceof Refusal)) throw failure;
    expect(failure.error.message).toMatch(/^\S.*[^.]$/s);
    return failure.error.code;
  }
}

describe("a query about class labels", () => {
  it.each(GOLDEN.queries.filter(({ rows }) => rows !== null))("returns the kernel's rows: $text", ({ text, rows }) => {
    const found = rowsOrCode(text, D);
    if (found !== "StaticPage") expect(found).toEqual(rows);
    else expect(text).toMatch(/= false$/); // all others are answered
  });

  it.each(GOLDEN.queries.filter(({ rows }) => rows === null))("refuses what the kernel refuses: $text", ({ text }) =>
    expect(rowsOrCode(text, D)).toMatch(/^(QuerySyntaxError|QueryBindError|StaticPage)$/),
  );

  it.each(GOLDEN.sampled)("has the kernel's strata: $text", ({ text, draws, combine, cap, arrays }) => {
    const { query, buffers } = run(text, D, "labels");
    expect([query.draws, query.combine, query.cap]).toEqual([draws ?? query.pool_size, combine, cap]);
    const found = query.statistics?.arrays.map(({ name, dtype }, i) => {
      const { buffer } = buffers[i] as DataView<ArrayBuffer>;
      return [name, Array.from(dtype === "int32" ? new Int32Array(buffer) : new Float64Array(buffer))];
    });
    expect(Object.fromEntries(found ?? [])).toEqual(arrays);
  });
});

const CASES = ["cases.tsv", "more.tsv"].flatMap((name) =>
  readFileSync(join(TESTS, "tql", "data", name), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("//"))
    .map((line) => line.replaceAll("\\n", "\n").split("\t") as [string, string, string, string | undefined]),
);
const ANSWERED = ["1", "2", "3", "4", "5", "6", "7", "9", "10", "11", "12", "19"];

describe("the conformance cases of the kernel", () => {
  it("are answered alike or left to a kernel", () => {
    const answered = CASES.filter(([, text, kind, expected]) => {
      const found = rowsOrCode(text, T);
      if (typeof found === "string") return false;
      expect([text, kind, found.join(",")]).toEqual([text, "rows", expected ?? ""]);
      return true;
    });
    expect(answered.map(([name]) => name)).toEqual(expect.arrayContaining(ANSWERED));
  });

  it.each([
    ["select * where label > 'car'", "StaticPage"],
    ["select * where findings == 'Hernia'", "QueryBindError"],
    ["select * where contains(findings,'Hernai')", "QueryBindError"],
    ["select * where score > 1", "StaticPage"],
    ["select * order by id", "StaticPage"],
    ["select label", "StaticPage"],
    ["select * where any(findings == 'Hernia')", "StaticPage"],
    ["select * where label = 'car' sample by score", "StaticPage"],
    ["select * where contains(name, 'car')", "StaticPage"],
    [`select * where ${"(".repeat(5000)}label = 'car'${")".repeat(5000)}`, "StaticPage"],
    [`select * where ${"not ".repeat(5000)}label = 'car'`, "StaticPage"],
    ["select * where label = 'car' 🙂", "QuerySyntaxError"],
  ])("refuses %s with %s", (text, code) => expect(rowsOrCode(text, T)).toBe(code));

  it("says where the fault is", () => {
    const text = "select * where label = 'car' and score > 1";
    expect(() => run(text, T, "label")).toThrow(Refusal);
    try {
      parseQuery(text);
    } catch (failure) {
      const { from, to } = (failure as Refusal).error;
      expect(text.slice(from, to)).toBe(">");
    }
  });

  it("joins hundreds of conditions", () => {
    const text = `select * where ${Array.from({ length: 3000 }, () => "label = 'dog'").join(" or ")}`;
    expect(rowsOrCode(text, T)).toEqual([1, 4]);
  });
});
