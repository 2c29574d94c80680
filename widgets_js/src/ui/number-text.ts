// Numbers as people read them, the same in every panel and in every language of the browser. One rule: a number is written
// out (countText), so that the same count reads the same in a header, a sentence and a table; only the marks of an axis,
// which have no room, are shortened, and only from 100,000 on (axisText), and the counts of a row, from 10,000 on
// (shortCountText), whose tooltip has them written out.

const WRITTEN = new Intl.NumberFormat("en-US", { maximumFractionDigits: 6 });

/** Written out: 12 · 1,234 · 1,234,567; a mean below 100 keeps three significant digits: 0.42, 8.46, 42.3. */
export function countText(value: number): string {
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return WRITTEN.format(Math.round(value));
  return size < 0.001 ? "<0.001" : trim(value.toFixed(size < 1 ? 3 : size < 10 ? 2 : 1));
}

/** A measurement: 0.41 · 2.61 · 1,234 · 1.2e-7: three significant digits of what is no whole number. */
export function figureText(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1000 || Number.isInteger(value))
    return size < 1e15 ? WRITTEN.format(Math.round(value)) : value.toExponential(2);
  return size !== 0 && size < 0.001 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}

/** The marks of an axis: 0 · 0.5 · 1,500 · 20,000 · 150k · 1.25M · 3B. */
export function axisText(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9) return `${trim((value / 1e9).toFixed(2))}B`;
  if (size >= 1e6) return `${trim((value / 1e6).toFixed(2))}M`;
  if (size >= 1e5) return `${trim((value / 1e3).toFixed(1))}k`;
  return size >= 1e3 ? WRITTEN.format(value) : String(Number(value.toPrecision(6)));
}

/** A count of a row: 0.4 · 8.5 · 321 · 1,932 · 11.0k · 118k · 2.35M. */
export function shortCountText(value: number): string {
  const size = Math.abs(value);
  if (size >= 999_500)
    return size >= 999_500_000 ? `${(value / 1e9).toPrecision(3)}B` : `${(value / 1e6).toPrecision(3)}M`;
  if (size >= 9999.5) return `${(value / 1e3).toFixed(size < 99_950 ? 1 : 0)}k`;
  if (size >= 9.95 || size === 0) return WRITTEN.format(Math.round(value));
  return size < 0.05 ? "<0.1" : trim(value.toFixed(1));
}

/** "1 edit", "1,234 edits". */
export function pluralText(value: number, one: string, many = `${one}s`): string {
  return `${countText(value)} ${value === 1 ? one : many}`;
}

/** ×1.2, ×11.8, ×140: three significant digits at most. */
export function timesText(ratio: number): string {
  if (ratio >= 100) return `×${WRITTEN.format(Math.round(ratio))}`;
  return `×${trim(ratio.toFixed(ratio < 1 ? 2 : 1))}`;
}

/** 56%, 99.3%, 0.21%: never 100% for less than all, nor 0% for more than none. */
export function shareText(share: number): string {
  const percent = share * 100;
  if (percent >= 100 || percent <= 0) return `${Math.round(Math.min(100, Math.max(0, percent)))}%`;
  if (percent > 99) return percent > 99.99 ? ">99.99%" : `${trim(floorTo(percent, 2).toFixed(2))}%`;
  if (percent >= 10) return `${Math.floor(percent + 0.5)}%`;
  return percent < 0.01 ? "<0.01%" : `${trim(percent.toPrecision(2))}%`;
}

function floorTo(value: number, decimals: number): number {
  return Math.floor(value * 10 ** decimals) / 10 ** decimals;
}

function trim(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
