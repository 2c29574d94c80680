import type { SliderRow } from "./slider-rows.ts";

export type Sort = "rare" | "frequent" | "weight" | "moved" | "signal";

export const SORTS: readonly { value: Sort; label: string }[] = [
  { value: "rare", label: "rare first" },
  { value: "frequent", label: "frequent first" },
  { value: "weight", label: "weight" },
  { value: "moved", label: "most moved" },
];

export interface OrderFigures {
  readonly raw: ArrayLike<number>;
  readonly expected: ArrayLike<number>;
  readonly weight: (row: SliderRow) => number;
  readonly pinned: (row: SliderRow) => boolean;
  readonly signal?: (row: SliderRow) => number | null; // the mean of what training reported
}

/** Conditions as they come, then classes whose weight a hand has set, then the other classes, then what has no label. */
export function sorted(rows: readonly SliderRow[], sort: Sort, figures: OrderFigures): SliderRow[] {
  const places = rows.map((row, i) => ({ row, i, group: groupOf(row, figures), by: keyOf(row, sort, figures) }));
  places.sort((a, b) => a.group - b.group || (a.row.kind === "class" ? a.by - b.by : 0) || a.i - b.i);
  return places.map(({ row }) => row);
}

function groupOf(row: SliderRow, { pinned }: OrderFigures): number {
  if (row.kind === "condition") return 0;
  if (row.kind === "unlabeled") return 3;
  return pinned(row) ? 1 : 2;
}

function keyOf(row: SliderRow, sort: Sort, { raw, expected, weight, signal }: OrderFigures): number {
  const count = raw[row.bar] ?? 0;
  if (sort === "weight") return -weight(row);
  if (sort === "signal") return -(signal?.(row) ?? -Number.MAX_VALUE);
  if (count === 0) return Number.MAX_VALUE; // a class without samples says nothing
  if (sort === "moved") return -away(expected[row.bar] ?? 0, count);
  return sort === "rare" ? count : -count;
}

/** How far a class has moved, up or down, rounded so that equal moves tie. */
function away(expected: number, raw: number): number {
  return Math.round(Math.abs(Math.log(Math.max(expected, 1e-9) / raw)) * 1e6) / 1e6;
}
