// @vitest-environment node
// Weights of very many classes on a page without a kernel: one term with a table, in place of a clause for each class.
import { describe, expect, it } from "vitest";
import { parseQuery } from "../src/runtime/page/label-query.ts";
import type { LabelColumn } from "../src/runtime/page/label-rows.ts";
import { countStrata, type Matches } from "../src/runtime/page/strata.ts";
import { placedClauses, withClause, withoutClause, withoutWeights, withPreset } from "../src/runtime/page/texts.ts";
import { nameFor, tablesOf, type WeightTable, withTables } from "../src/runtime/page/weight-tables.ts";

const NUM = 50;
const TERM = "select * sample by max_weight(classes(labels, $balanced), True: 1)";

/** Class k is in the samples 0 to k, so that k + 1 samples have it. */
function column(): LabelColumn {
  const rows = Array.from({ length: NUM }, (_, sample) => Array.from({ length: NUM - sample }, (__, i) => sample + i));
  const offsets = new Int32Array(NUM + 1);
  rows.forEach((labels, i) => {
    offsets[i + 1] = (offsets[i] as number) + labels.length;
  });
  const classNames = Array.from({ length: NUM }, (_, i) => `c${i}`);
  return { name: "labels", classNames, single: false, offsets, values: Int32Array.from(rows.flat()) };
}
const POOL = Int32Array.from({ length: NUM }, (_, i) => i);

function balanced(text: string): { text: string; tables: Map<string, WeightTable> } {
  const tables = new Map<string, WeightTable>();
  const made = withPreset(text, "balanced", undefined, column(), POOL, (stem, table) => {
    const name = nameFor(stem, table, tables);
    tables.set(name, table);
    return name;
  });
  return { text: made.text, tables };
}

describe("a preset over 40 classes and more", () => {
  it("is one term, with a weight for each class", () => {
    const { text, tables } = balanced("select *");
    expect(text).toBe(TERM);
    const { sampling } = parseQuery(text);
    const clauses = placedClauses(text, sampling as NonNullable<typeof sampling>, column(), tables);
    expect(clauses.length).toBe(NUM + 1);
    // the most frequent class has 50 samples and weighs 1
    expect(clauses.map(({ weight }) => weight)).toEqual([
      ...Array.from({ length: NUM }, (_, k) => Number((NUM / (k + 1)).toPrecision(6))),
      1,
    ]);
    expect(clauses[3]).toMatchObject({
      expression: "contains(labels, 'c3')",
      class_index: 3,
      table: "balanced",
      from: null,
    });
  });

  it("takes the place of another one, and keeps conditions of another kind", () => {
    const text = "select * sample by max_weight(labels in ('c1', 'c2'): 7, classes(labels, $balanced), True: 1)";
    expect(balanced(text).text).toBe(text);
    expect(withoutWeights(text, [{ table: "balanced" } as never]).text).toBe(
      "select * sample by max_weight(labels in ('c1', 'c2'): 1, True: 1)",
    );
  });

  it("has clauses added beside it and removed", () => {
    const { tables } = balanced("select *");
    const more = withClause(TERM, column(), 4, 3);
    expect(more).toBe("select * sample by max_weight(classes(labels, $balanced), contains(labels, 'c4'): 3, True: 1)");
    expect(withoutClause(more, NUM, tables)).toBe(TERM);
  });

  it("has the same strata as a clause for each class", () => {
    const labels = { ...column(), numClasses: NUM };
    const masks: Matches[] = Array.from({ length: NUM }, (_, k) =>
      POOL.reduce((mask, i) => mask.fill(Number(i <= k), i, i + 1), new Uint8Array(NUM)),
    );
    const everything = new Uint8Array(NUM).fill(1);
    const written = countStrata(POOL, [...masks, everything], labels);
    const source = column();
    const table = countStrata(
      POOL,
      [...masks.map((_, classIndex) => ({ column: source, classIndex })), everything],
      labels,
    );
    expect(table.header).toEqual(written.header);
    expect([...table.ids]).toEqual([...written.ids]);
    expect(table.buffers.map((one) => new Uint8Array(one.buffer))).toEqual(
      written.buffers.map((one) => new Uint8Array(one.buffer)),
    );
  });
});

describe("a table of weights", () => {
  const table = new Map([
    [0, 2],
    [1, 1],
  ]);

  it.each([
    ["is new", new Map(), "balanced"],
    [
      "is the same",
      new Map([
        [
          "balanced",
          new Map([
            [0, 2],
            [1, 1],
          ]),
        ],
      ]),
      "balanced",
    ],
    [
      "is another",
      new Map([
        [
          "balanced",
          new Map([
            [0, 3],
            [1, 1],
          ]),
        ],
      ]),
      "balanced_2",
    ],
  ])("has a free name where it %s", (_, tables, name) => {
    expect(nameFor("balanced", table, tables)).toBe(name);
  });

  it("has the weights that its sliders have", () => {
    const clause = { expression: "", label: "", class_index: 0, weight: 9, from: null, to: null, table: "balanced" };
    expect(tablesOf([clause])).toEqual(new Map([["balanced", new Map([[0, 9]])]]));
    expect(withTables([{ ...clause, weight: 1 }], tablesOf([clause]))[0]?.weight).toBe(9);
  });
});
