// Numbers as people read them. One notation in every panel, whatever the browser's language.

/** 12 · 1,234 · 56,700 · 1.23M; small means keep three significant digits: 0.42, 8.5. */
export function countText(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9) return `${trim((value / 1e9).toFixed(2))}G`;
  if (size >= 1e6) return `${trim((value / 1e6).toFixed(2))}M`;
  if (size >= 100 || Number.isInteger(value)) return grouped(Math.round(value));
  return size < 0.001 && size > 0 ? "<0.001" : trim(value.toFixed(size < 1 ? 3 : size < 10 ? 2 : 1));
}

/** Axis marks: 0 · 200 · 1,500 · 20k · 3M. */
export function tickText(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${trim((value / 1e6).toFixed(2))}M`;
  if (size >= 1e4) return `${trim((value / 1e3).toFixed(1))}k`;
  return size >= 1e3 ? grouped(value) : String(Number(value.toPrecision(6)));
}

/** ×1.2, ×11.8, ×140: three significant digits at most. */
export function timesText(ratio: number): string {
  if (ratio >= 100) return `×${grouped(Math.round(ratio))}`;
  return `×${trim(ratio.toFixed(ratio < 1 ? 2 : 1))}`;
}

/** 56 %, 99.3 %, 0.21 %: never 100 % for less than all, nor 0 % for more than none. */
export function shareText(share: number): string {
  const percent = share * 100;
  if (percent >= 100 || percent <= 0) return `${Math.round(Math.min(100, Math.max(0, percent)))} %`;
  if (percent > 99) return percent > 99.99 ? ">99.99 %" : `${trim(floorTo(percent, 2).toFixed(2))} %`;
  if (percent >= 10) return `${Math.floor(percent + 0.5)} %`;
  return percent < 0.01 ? "<0.01 %" : `${trim(percent.toPrecision(2))} %`;
}

function floorTo(value: number, decimals: number): number {
  return Math.floor(value * 10 ** decimals) / 10 ** decimals;
}

function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

function trim(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
