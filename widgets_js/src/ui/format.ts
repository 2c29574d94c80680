// Numbers as they are shown: thousands set apart by commas in every locale, so that pictures and tests are the same.

export function count(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** 0.5634 -> "56 %"; tiny and near-whole shares keep a decimal, so that 99.96 % is never shown as all. */
export function percent(share: number): string {
  const value = share * 100;
  if (value <= 0) return "0 %";
  if (value >= 100) return "100 %";
  if (value < 1 || value > 99) return `${Math.min(99.9, Math.max(0.1, value)).toFixed(1)} %`;
  return `${Math.round(value)} %`;
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}
