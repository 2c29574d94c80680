// A dataset without images is a table: of a page, its class labels, which are all it knows of each sample.
import type { ColumnInfo, ColumnProfile, TableRow } from "../../session/protocol.ts";
import type { LabelColumn } from "./label-rows.ts";
import type { Samples } from "./samples.ts";

export function columnsOf({ columns }: Samples): ColumnInfo[] {
  return columns.map(({ name }) => ({ name, htype: "class_label", shown: "class label", numeric: false }));
}

export function profileOf(column: LabelColumn, count: number, pool: Int32Array): ColumnProfile {
  const raw = samplesByClass(
    column,
    Int32Array.from({ length: count }, (_, place) => place),
  );
  const shown = samplesByClass(column, pool);
  const classes = [...raw.keys()].filter((index) => index >= 0).sort((a, b) => (raw.get(b) ?? 0) - (raw.get(a) ?? 0));
  const bar = (index: number, label: string, special: "empty" | null) => ({
    label,
    special,
    raw: raw.get(index) ?? 0,
    pool: shown.get(index) ?? 0,
  });
  const bars = classes.slice(0, MOST_BARS).map((index) => bar(index, nameOf(column, index), null));
  if (raw.has(BARE)) bars.push(bar(BARE, "no label", "empty"));
  const rest = classes.slice(MOST_BARS);
  const sum = (counts: Map<number, number>) => rest.reduce((all, index) => all + (counts.get(index) ?? 0), 0);
  return {
    name: column.name,
    kind: "category",
    bars,
    other: { raw: sum(raw), pool: sum(shown) },
    selectable: bars.map(() => false),
    selected: null,
    low: "",
    high: "",
    distinct: classes.length,
    facts: [],
    num_raw: count,
    num_pool: pool.length,
  };
}

const MOST_BARS = 12;
const BARE = -1;

function nameOf({ classNames }: LabelColumn, index: number): string {
  return classNames[index] ?? String(index);
}

/** Samples with each class; BARE: without any. */
function samplesByClass({ offsets, values }: LabelColumn, places: Int32Array): Map<number, number> {
  const counts = new Map<number, number>();
  for (const place of places) {
    const own = new Set(values.subarray(offsets[place], offsets[place + 1]));
    if (own.size === 0) own.add(BARE);
    for (const index of own) counts.set(index, (counts.get(index) ?? 0) + 1);
  }
  return counts;
}

/** Rows of the grid at [start, stop), with the columns that are asked for. */
export function tableRows(
  samples: Samples,
  shown: Int32Array,
  start: number,
  stop: number,
  names: readonly string[],
): TableRow[] {
  return Array.from(shown.subarray(start, stop), (place, i) => ({
    position: start + i,
    row: samples.rows[place] as number,
    uid: String(samples.uids[place]),
    edited: samples.edited.has(place),
    cells: names.map((name) => cell(samples.column(name), place)),
  }));
}

function cell(column: LabelColumn | undefined, place: number): string | null {
  if (column === undefined) return null;
  const own = column.values.subarray(column.offsets[place], column.offsets[place + 1]);
  return own.length === 0 ? null : Array.from(own, (index) => nameOf(column, index)).join(", ");
}
