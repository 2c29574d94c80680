// @vitest-environment node
// Contrast of the tokens, by the WCAG formula, in both themes.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const css = readFileSync(join(import.meta.dirname, "..", "src", "theme.css"), "utf8");
const themes = { light: 1, dark: 2 } as const;
type Theme = keyof typeof themes;

function token(name: string, theme: Theme): string {
  const match = new RegExp(`--penstock-${name}: light-dark\\((#[0-9a-f]{3,8}), (#[0-9a-f]{3,8})\\)`).exec(css);
  const value = match?.[themes[theme]];
  if (value === undefined) throw new Error(`no token ${name}`);
  return value;
}

function luminance(hex: string): number {
  const digits = hex.length === 4 ? [...hex.slice(1)].map((c) => c + c).join("") : hex.slice(1, 7);
  const [r = 0, g = 0, b = 0] = [0, 2, 4].map((i) => {
    const channel = Number.parseInt(digits.slice(i, i + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

const TEXT = ["ink", "dim", "faint", "accent", "bad", "warn", "keyword", "function", "string", "number"];
const MARKS = ["control", "raw", "focus", "neutral", ...Array.from({ length: 8 }, (_, i) => `c${i}`)];

it("the formula gives 21 for black on white", () => expect(contrast("#000", "#ffffff")).toBeCloseTo(21, 10));

describe.each(["light", "dark"] as const)("%s theme", (theme) => {
  it.each(TEXT)("text in %s reads on panel and sunken ground", (name) => {
    for (const ground of ["panel", "sunk"]) {
      expect(contrast(token(name, theme), token(ground, theme))).toBeGreaterThanOrEqual(4.5);
    }
  });

  it.each([
    ["accent", "accent-soft"],
    ["ink", "accent-soft"],
    ["accent-ink", "accent"],
    ["warn", "warn-soft"],
    ["bad", "bad-soft"],
  ])("%s reads on %s", (ink, ground) => {
    expect(contrast(token(ink, theme), token(ground, theme))).toBeGreaterThanOrEqual(4.5);
  });

  it.each(MARKS)("%s stands out from the panel", (name) => {
    expect(contrast(token(name, theme), token("panel", theme))).toBeGreaterThanOrEqual(3);
  });
});
