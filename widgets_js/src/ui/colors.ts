// A class is recognized by hue (index mod 8) and by line style (index div 8), never by hue alone. Values are in theme.css.

export const NUM_HUES = 8;
const DASHES = ["none", "6 3", "1.5 2.5"] as const;

/** CSS color of a class: a token, never a value made from data. */
export function classColor(index: number | null): string {
  return index === null ? "var(--penstock-neutral)" : `var(--penstock-c${index % NUM_HUES})`;
}

/** stroke-dasharray of a class: solid, dashed, dotted for indices 0-7, 8-15, 16-23, and around again. */
export function classDash(index: number): (typeof DASHES)[number] {
  return DASHES[Math.floor(index / NUM_HUES) % DASHES.length] ?? "none";
}
