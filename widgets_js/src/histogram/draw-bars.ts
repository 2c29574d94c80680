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
    marks.raw.setAttribute("width", pixels(scale(raw[c] ?? 0)));
    marks.sampled.setAttribute("width", pixels(scale(count)));
    const path = whiskerPath(scale(low[c] ?? 0), scale(high[c] ?? 0), middle);
    marks.halo.setAttribute("d", path);
    marks.whisker.setAttribute("d", path);
    row.setAttribute("data-raw", String(raw[c] ?? 0));
    row.setAttribute("data-sampled", figure(count));
    row.setAttribute("data-low", figure(low[c] ?? 0));
    row.setAttribute("data-high", figure(high[c] ?? 0));
  }
}

export function whiskerPath(from: number, to: number, y: number): string {
  const a = pixels(from);
  const b = pixels(to);
  return `M${a} ${y - CAP}v${2 * CAP}M${b} ${y - CAP}v${2 * CAP}M${a} ${y}H${b}`;
}

function pixels(x: number): string {
  return String(Math.round(x * 10) / 10);
}

function figure(value: number): string {
  return String(Number(value.toPrecision(12)));
}
