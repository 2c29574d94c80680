// Arithmetic of the virtual table: rows of one height, columns of their own widths.
import { type GridShape, MAX_SCROLL_HEIGHT } from "../grid/geometry.ts";
import type { ColumnInfo } from "../session/protocol.ts";

export const ROW = 28;
export const HEAD = 88;
/** The header as a row of the keyboard. */
export const HEADER = -1;
const NARROWEST = 126;
const WIDEST = 210;
const GROWN = 640;
const LETTER = 7.4;

/** Rows as a grid of one column, so that long tables scroll as the grid does. */
export function rowShape(count: number): GridShape {
  const total = count * ROW;
  return { columns: 1, cell: ROW, pitch: ROW, rows: count, total, height: Math.min(total, MAX_SCROLL_HEIGHT) };
}

export interface ColumnPlaces {
  lefts: number[]; // from the first column's left edge
  widths: number[];
  total: number;
  head: number; // of the row numbers, which stay in view
}

/** Widths by name and kind; where there is room they grow alike and fill it, none of them wider than can be read. */
export function columnPlaces(columns: readonly ColumnInfo[], numRows: number, width: number): ColumnPlaces {
  const head = Math.max(48, String(Math.max(0, numRows - 1)).length * 8.5 + 30);
  const least = columns.map(({ name, numeric }) =>
    Math.min(WIDEST, Math.max(numeric ? NARROWEST : NARROWEST + 12, name.length * LETTER + 24)),
  );
  const needed = least.reduce((sum, one) => sum + one, 0);
  const grow = Math.max(1, (width - head) / Math.max(1, needed));
  const widths = least.map((one) => Math.floor(Math.min(GROWN, one * grow)));
  let left = 0;
  const lefts = widths.map((one) => {
    left += one;
    return left - one;
  });
  return { lefts, widths, total: left, head };
}

/** Columns [start, stop) in view. */
export function visibleColumns(places: ColumnPlaces, scrollLeft: number, width: number): [number, number] {
  const right = scrollLeft + Math.max(0, width - places.head);
  let start = places.lefts.findIndex((left, i) => left + (places.widths[i] ?? 0) > scrollLeft);
  if (start < 0) start = places.lefts.length;
  let stop = start;
  while (stop < places.lefts.length && (places.lefts[stop] ?? 0) < right) stop++;
  return [start, stop];
}

/** The scroll position that brings a column into view with the least movement. */
export function revealColumn(places: ColumnPlaces, column: number, scrollLeft: number, width: number): number {
  const left = places.lefts[column] ?? 0;
  const right = left + (places.widths[column] ?? 0);
  const room = Math.max(0, width - places.head);
  if (left < scrollLeft || right - left > room) return left;
  return right > scrollLeft + room ? right - room : scrollLeft;
}

/** Where a key takes the row; null for keys that are not of rows. */
export function moveRow(key: string, row: number, count: number, page: number): number | null {
  const steps: Record<string, number> = {
    ArrowDown: 1,
    ArrowUp: -1,
    PageDown: page,
    PageUp: -page,
    Home: -count,
    End: count,
  };
  const step = steps[key];
  return step === undefined || count === 0 ? null : Math.min(count - 1, Math.max(0, row + step));
}
