// A class is recognized by hue (index mod 8) and by line style (index div 8), never by hue alone. Values are in theme.css.

export const NUM_HUES = 8;
const DASHES = ["none", "6 3", "1.5 2.5"] as const;

/** The hues as a dataset keeps them: a class given one of these has it in both themes, as theme.css has them. */
export const HUES = ["#7a41b4", "#cb8000", "#22695e", "#b274ed", "#944a07", "#589d90", "#451618", "#252144"] as const;

/** CSS color of a class: the one it was given, as `ownColors` sets it on the widget's root, else a token. */
export function classColor(index: number | null): string {
  return index === null
    ? "var(--penstock-neutral)"
    : `var(--penstock-class-${index}, var(--penstock-c${index % NUM_HUES}))`;
}

/** CSS color of what a dataset keeps: the token of a hue, which has a form for each theme, or the color itself. */
export function keptColor(color: string): string {
  const hue = HUES.indexOf(color as (typeof HUES)[number]);
  if (hue >= 0) return `var(--penstock-c${hue})`;
  return /^#[0-9a-f]{6}$/.test(color) ? color : "var(--penstock-neutral)";
}

/** Custom properties of the root: the color of each class that was given one. */
export function ownColors(colors: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(colors).map(([index, color]) => [`--penstock-class-${Number(index)}`, keptColor(color)]),
  );
}

/** stroke-dasharray of a class: solid, dashed, dotted for indices 0-7, 8-15, 16-23, and around again. */
export function classDash(index: number): (typeof DASHES)[number] {
  return DASHES[Math.floor(index / NUM_HUES) % DASHES.length] ?? "none";
}
