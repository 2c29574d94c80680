import { scaleLinear, scaleLog } from "d3-scale";
import { axisText } from "../ui/number-text.ts";

export interface AxisScale {
  (count: number): number;
  readonly ticks: readonly number[];
}

const ROOM_PER_TICK = 54; // pixels: a mark and air
const DECADES = 6;

export interface Extent {
  readonly highest: number;
  readonly lowest: number; // the smallest positive count
}

export function extentOf(...series: ArrayLike<number>[]): Extent {
  let highest = 0;
  let lowest = Number.POSITIVE_INFINITY;
  for (const values of series) {
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      if (value > highest) highest = value;
      if (value > 0 && value < lowest) lowest = value;
    }
  }
  return { highest: highest > 0 ? highest : 1, lowest: Number.isFinite(lowest) ? lowest : 1 };
}

/** Counts to pixels from the left edge, with marks that have room for their text. */
export function axisScale({ highest, lowest }: Extent, width: number, log: boolean): AxisScale {
  return log ? logScale(highest, lowest, width) : linearScale(highest, width);
}

function linearScale(highest: number, width: number): AxisScale {
  const scale = scaleLinear().domain([0, highest]).range([0, width]);
  const ticks = scale.ticks(Math.max(2, Math.floor(width / ROOM_PER_TICK)));
  return Object.assign((count: number) => scale(count), { ticks: fitting(ticks, scale, width) });
}

function logScale(highest: number, lowest: number, width: number): AxisScale {
  const bottom = Math.max(10 ** Math.floor(Math.log10(lowest)), highest / 10 ** DECADES, 0.01);
  const scale = scaleLog()
    .domain([Math.min(bottom, highest / 10), highest])
    .range([0, width])
    .clamp(true);
  const powers = scale.ticks().filter((tick) => Math.abs(Math.log10(tick) - Math.round(Math.log10(tick))) < 1e-9);
  const step = Math.max(1, Math.ceil((powers.length * ROOM_PER_TICK) / Math.max(width, 1)));
  const ticks = powers.filter((_, i) => i % step === 0);
  return Object.assign((count: number) => (count > 0 ? scale(count) : 0), { ticks: fitting(ticks, scale, width) });
}

/** Marks inside the plot only. */
function fitting(ticks: number[], scale: (tick: number) => number, width: number): number[] {
  return ticks.filter((tick) => scale(tick) <= width + 0.5);
}

/** A mark in as few letters as it can be: 0 · 200 · 1k · 2.5k · 10k · 1M. */
export function markText(value: number): string {
  return value >= 1000 && value < 1e6 ? `${Number((value / 1000).toPrecision(3))}k` : axisText(value);
}
