// Widths of the table's columns in pixels, by the width of the table itself. Narrow tables put the slider above the bars.

export interface Columns {
  readonly stacked: boolean;
  readonly height: number; // of a row
  readonly slider: number;
  readonly bars: number;
  readonly text: number;
  readonly middle: number; // of a row's bars, from their top
}

const WIDE = 560;
const MEDIUM = 480;
const NARROW = 430;
const STACKED_REST = 12 + 16 + 8 + 12 + 84 + 16; // beside the bars of a stacked row

/** `long`: a count has five digits or more. */
export function columnsFor(width: number, long: boolean): Columns {
  if (width < NARROW) {
    const bars = Math.max(60, width - STACKED_REST);
    return { stacked: true, height: 48, slider: 0, bars, text: 84, middle: 13 };
  }
  const room = Math.max(0, width - 568 - 40); // a wide table gives most of it to the bars
  const [slider, bars] = width >= WIDE ? [100, 132] : width >= MEDIUM ? [84, 92] : [68, 76];
  const extra = Math.floor(room * 0.6);
  return {
    stacked: false,
    height: 28,
    slider: slider + Math.floor(room * 0.15),
    bars: bars + extra - (long ? 8 : 0),
    text: long ? 92 : 84,
    middle: 17,
  };
}
