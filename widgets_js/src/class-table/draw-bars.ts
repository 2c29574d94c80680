// Geometry of a row's bars, written straight to the elements: the input handler of a slider has it done when it returns.
import type { Histogram } from "../statistics/histogram.ts";
import { shortCountText } from "../ui/number-text.ts";
import type { AxisScale } from "./axis-scale.ts";

/** The elements of one row; made once, moved from then on. */
export interface BarElements {
  readonly cell: HTMLElement;
  readonly ticks: SVGPathElement;
  readonly raw: SVGRectElement;
  readonly sampled: SVGRectElement;
  readonly halo: SVGPathElement;
  readonly whisker: SVGPathElement;
  readonly drawn: SVGCircleElement;
  readonly past: SVGRectElement;
  readonly rawText: HTMLElement;
  readonly sampledText: HTMLElement;
}

/** The part of a bar that the epoch under way has drawn; the rest of it is promised. */
export function drawPast({ cell, past }: BarElements, count: number | undefined, scale: AxisScale): void {
  change(past, "width", count === undefined ? "0" : lengthOf(count, scale));
  change(cell, "data-past", count === undefined ? "" : String(count));
}

const CAP = 3; // half the height of a whisker's end
const LEAST = 1; // pixels: a count above 0 is seen

/** `middle` = where the whisker is, in pixels from the top of the bars. */
export function drawBar(
  { cell, raw, sampled, halo, whisker, rawText, sampledText }: BarElements,
  figures: Histogram,
  place: { bar: number; scale: AxisScale; middle: number },
): void {
  const { bar, scale, middle } = place;
  const before = figures.raw[bar] ?? 0;
  const after = figures.expected[bar] ?? 0;
  const low = figures.low[bar] ?? 0;
  const high = figures.high[bar] ?? 0;
  change(raw, "width", lengthOf(before, scale));
  change(sampled, "width", lengthOf(after, scale));
  const path = whiskerPath(scale(low), scale(high), middle);
  if (change(whisker, "d", path)) halo.setAttribute("d", path);
  change(cell, "data-raw", String(before));
  change(cell, "data-sampled", String(after));
  change(cell, "data-low", String(low));
  change(cell, "data-high", String(high));
  write(rawText, shortCountText(before));
  write(sampledText, shortCountText(after));
  change(sampledText, "data-same", String(Math.abs(after - before) < 0.5));
}

/** Where the first epoch of the loader's own stream is; undefined: not known, or not for these weights. */
export function markDrawn({ cell, drawn }: BarElements, count: number | undefined, scale: AxisScale): void {
  change(drawn, "visibility", count === undefined ? "hidden" : "visible");
  change(drawn, "cx", pixels(scale(count ?? 0)));
  change(cell, "data-drawn", count === undefined ? "" : String(count));
}

export function drawTicks({ ticks }: BarElements, scale: AxisScale, height: number): void {
  change(ticks, "d", scale.ticks.map((tick) => `M${Math.round(scale(tick)) + 0.5} 0v${height}`).join(""));
}

/** Writing an attribute costs layout even where it says the same. */
function change(element: Element, name: string, value: string): boolean {
  if (element.getAttribute(name) === value) return false;
  element.setAttribute(name, value);
  return true;
}

function write(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

function lengthOf(count: number, scale: AxisScale): string {
  return count > 0 ? pixels(Math.max(LEAST, scale(count))) : "0";
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
