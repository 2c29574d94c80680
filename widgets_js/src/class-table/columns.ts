// Widths of the table's columns in pixels, by the width of the table itself. Narrow tables put the slider above the bars.

export interface Columns {
  readonly stacked: boolean;
  readonly height: number; // of a row
  readonly slider: number;
  readonly bars: number;
  readonly text: number;
  readonly signal: number; // of what training reported, 0: no column
  readonly middle: number; // of a row's bars, from their top
}

const WIDE = 560;
const MEDIUM = 480;
const NARROW = 430;
const STACKED_REST = 12 + 16 + 8 + 12 + 84 + 16; // beside the bars of a stacked row

/** `long`: a count has five digits or more; `signal`: there is a column of what training reported, where it has room. */
export function columnsFor(width: number, long: boolean, signal = false): Columns {
  if (width < NARROW) {
    const bars = Math.max(60, width - STACKED_REST);
    return { stacked: true, height: 48, slider: 0, bars, text: 84, signal: 0, middle: 13 };
  }
  const room = Math.max(0, width - 568 - 40); // a wide table gives most of it to the bars
  const reported = signal && width >= MEDIUM;
  const [slider, bars] = reported ? (width >= WIDE ? [84, 96] : [64, 72]) : plainWidths(width);
  const extra = Math.floor(room * 0.6);
  return {
    stacked: false,
    height: 28,
    slider: slider + Math.floor(room * 0.15),
    bars: bars + extra - (long ? 8 : 0),
    text: long ? 92 : 84,
    signal: reported ? (width >= WIDE ? 68 : 32) : 0,
    middle: 17,
  };
}

function plainWidths(width: number): [number, number] {
  if (width >= WIDE) return [100, 132];
  return width >= MEDIUM ? [84, 92] : [68, 76];
}
