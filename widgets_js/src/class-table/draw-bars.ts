// Geometry of the bars, written straight to the elements: the input handler of a slider has it done when it returns.
import type { Histogram } from "../statistics/histogram.ts";
import type { AxisScale } from "./axis-scale.ts";

/** The elements of one class; made once, moved from then on. */
export interface BarElements {
  row: HTMLElement;
  raw: SVGRectElement;
  sampled: SVGRectElement;
  halo: SVGPathElement;
  whisker: SVGPathElement;
  drawn: SVGCircleElement;
}

const CAP = 3; // half the height of a whisker's end

/** `middle` = where the whisker lies, in pixels from the top of the row. */
export function drawBars(
  elements: ReadonlyMap<number, BarElements>,
  { raw, expected, low, high }: Histogram,
  scale: AxisScale,
  middle: number,
): void {
  for (const [c, { row, ...marks }] of elements) {
    const count = expected[c] ?? 0;
    change(marks.raw, "width", pixels(scale(raw[c] ?? 0)));
    change(marks.sampled, "width", pixels(scale(count)));
    const path = whiskerPath(scale(low[c] ?? 0), scale(high[c] ?? 0), middle);
    if (change(marks.whisker, "d", path)) marks.halo.setAttribute("d", path);
    change(row, "data-raw", String(raw[c] ?? 0));
    change(row, "data-sampled", String(count));
    change(row, "data-low", String(low[c] ?? 0));
    change(row, "data-high", String(high[c] ?? 0));
  }
}

/** Where the first epoch of the loader's own stream lies; null: not known, or not for these weights. */
export function markDrawn(
  elements: ReadonlyMap<number, BarElements>,
  counts: ArrayLike<number> | null,
  scale: AxisScale,
): void {
  for (const [c, { row, drawn }] of elements) {
    const count = counts?.[c];
    change(drawn, "visibility", count === undefined ? "hidden" : "visible");
    change(drawn, "cx", pixels(scale(count ?? 0)));
    change(row, "data-drawn", count === undefined ? "" : String(count));
  }
}

/** Writing an attribute costs layout even where it says the same. */
function change(element: Element, name: string, value: string): boolean {
  if (element.getAttribute(name) === value) return false;
  element.setAttribute(name, value);
  return true;
}

/** Nothing where the count is certain. */
export function whiskerPath(from: number, to: number, y: number): string {
  if (to - from < 0.05) return "";
  const a = pixels(from);
  const b = pixels(to);
  return `M${a} ${y - CAP}v${2 * CAP}M${b} ${y - CAP}v${2 * CAP}M${a} ${y}H${b}`;
}

function pixels(x: number): string {
  return String(Math.round(x * 10) / 10);
}
