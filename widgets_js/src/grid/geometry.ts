// Arithmetic of the virtual grid. Browsers clip elements taller than some 16 million pixels, so the scroll height is
// capped: short scrolls move pixel by pixel, long ones jump in proportion, as a list of any length does in SlickGrid.

export const MAX_SCROLL_HEIGHT = 8_000_000;
export const GAP = 6;

export interface GridShape {
  columns: number;
  cell: number; // side of a cell, pixels
  pitch: number; // from one row's top to the next
  rows: number;
  total: number; // height all rows would take
  height: number; // height of the spacer: total, capped
}

export function gridShape(width: number, count: number, target: number): GridShape {
  const columns = Math.max(1, Math.round((width + GAP) / (target + GAP)));
  const cell = Math.max(16, (width - GAP * (columns - 1)) / columns);
  const pitch = cell + GAP;
  const rows = Math.ceil(count / columns);
  const total = Math.max(0, rows * pitch - GAP);
  return { columns, cell, pitch, rows, total, height: Math.min(total, MAX_SCROLL_HEIGHT) };
}

/** Where the viewport stands: `top` in the uncapped grid = scrollTop + offset. */
export interface Scroll {
  scrollTop: number;
  offset: number;
}

/** The scroll position after the browser reports `scrollTop`; `set` is what scrollTop must be put to, if anything. */
export function followScroll(
  shape: GridShape,
  viewport: number,
  before: Scroll,
  scrollTop: number,
): Scroll & { set: boolean } {
  const hidden = shape.total - shape.height;
  if (hidden <= 0) return { scrollTop, offset: 0, set: false };
  const range = Math.max(1, shape.height - viewport);
  const atEnd = scrollTop <= 0 || scrollTop >= range;
  const near = Math.abs(scrollTop - before.scrollTop) < viewport;
  const proportional = (hidden * clamp(scrollTop, 0, range)) / range;
  if (!near || atEnd) return { scrollTop, offset: Math.round(proportional), set: false };
  // a short scroll keeps its offset; what drifts from the proportion is put right by moving the scrollbar instead
  const top = scrollTop + before.offset;
  const drift = Math.abs(before.offset - proportional);
  if (drift < viewport * 20) return { scrollTop, offset: before.offset, set: false };
  return { ...scrollFor(shape, viewport, top), set: true };
}

/** The scroll position that puts `top` of the uncapped grid at the viewport's top. */
export function scrollFor(shape: GridShape, viewport: number, top: number): Scroll {
  const span = Math.max(1, shape.total - viewport);
  const range = Math.max(0, shape.height - viewport);
  const wanted = clamp(top, 0, Math.max(0, shape.total - viewport));
  const scrollTop = Math.round((wanted / span) * range);
  return { scrollTop, offset: wanted - scrollTop };
}

/** Positions [start, stop) of the cells in view, with `overscan` rows on both sides. */
export function visibleRange(
  shape: GridShape,
  count: number,
  top: number,
  viewport: number,
  overscan = 1,
): [number, number] {
  const first = Math.max(0, Math.floor(top / shape.pitch) - overscan);
  const last = Math.min(shape.rows, Math.ceil((top + viewport) / shape.pitch) + overscan);
  return [Math.min(count, first * shape.columns), Math.min(count, last * shape.columns)];
}

/** The top that brings the row of `position` into view with the least movement. */
export function reveal(shape: GridShape, position: number, top: number, viewport: number): number {
  const row = Math.floor(position / shape.columns);
  const rowTop = row * shape.pitch;
  if (rowTop < top) return rowTop;
  if (rowTop + shape.cell > top + viewport) return rowTop + shape.cell - viewport;
  return top;
}

/** Where a key takes the current position; null for keys that are not the grid's. */
export function moveBy(key: string, position: number, count: number, columns: number, page: number): number | null {
  const steps: Record<string, number> = {
    ArrowRight: 1,
    ArrowLeft: -1,
    ArrowDown: columns,
    ArrowUp: -columns,
    PageDown: columns * page,
    PageUp: -columns * page,
    Home: -count,
    End: count,
  };
  const step = steps[key];
  if (step === undefined) return null;
  const target = position + step;
  if (key === "ArrowDown" && target >= count) return lastRowBelow(position, count, columns);
  if (key === "ArrowUp" && target < 0) return position;
  return clamp(target, 0, count - 1);
}

function lastRowBelow(position: number, count: number, columns: number): number {
  const onLastRow = Math.floor(position / columns) === Math.floor((count - 1) / columns);
  return onLastRow ? position : count - 1;
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), Math.max(low, high));
}

/** Longest sides the kernel is asked for: few, so that its cache hits. A tile shows the middle square of its image, whose
 * side is the shorter one: for images up to 3:2 it is still as sharp as the screen. */
export function thumbnailSize(cell: number, pixelRatio: number): number {
  const wanted = cell * 1.5 * Math.min(2, pixelRatio);
  return [128, 192, 256, 384].find((size) => size >= wanted) ?? 512;
}
