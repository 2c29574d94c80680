// @vitest-environment node
// Classes told apart with normal and with color-deficient sight. Contrast is in theme.test.ts.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { classColor, classDash, HUES, NUM_HUES, ownColors } from "../src/ui/colors.ts";

type Rgb = [number, number, number]; // linear light, 0 to 1

const css = readFileSync(join(import.meta.dirname, "../src/theme.css"), "utf8");
const tokens = new Map(
  [...css.matchAll(/--penstock-([\w-]+): light-dark\((#\w+), (#\w+)\)/g)].map(([, name, light, dark]) => [
    name,
    { light, dark },
  ]),
);

function color(name: string, theme: "light" | "dark"): Rgb {
  const hex = tokens.get(name)?.[theme];
  if (hex === undefined) throw new Error(`theme.css has no ${name}`);
  const digits = hex.length === 4 ? [...hex.slice(1)].map((d) => d + d) : (hex.slice(1, 7).match(/../g) ?? []);
  return digits.map((pair) => toLinear(Number.parseInt(pair, 16) / 255)) as Rgb;
}

const toLinear = (v: number): number => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);

/** Machado, Oliveira and Fernandes, 2009, severity 1. */
const SIGHTS: Record<string, number[][]> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

function seen(rgb: Rgb, sight: string): Rgb {
  const rows = SIGHTS[sight] ?? [];
  return rows.map((row) =>
    Math.min(
      1,
      Math.max(
        0,
        row.reduce((sum, m, i) => sum + m * (rgb[i] ?? 0), 0),
      ),
    ),
  ) as Rgb;
}

function lab([r, g, b]: Rgb): [number, number, number] {
  const f = (t: number) => (t > 216 / 24389 ? Math.cbrt(t) : (24389 / 27 / 116) * t + 16 / 116);
  const x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
  const y = f(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
  const z = f((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

const RAD = Math.PI / 180;

/** CIEDE2000: Sharma, Wu and Dalal, 2005. */
function difference([l1, a1, b1]: [number, number, number], [l2, a2, b2]: [number, number, number]): number {
  const meanC = (Math.hypot(a1, b1) + Math.hypot(a2, b2)) / 2;
  const g = 0.5 * (1 - Math.sqrt(meanC ** 7 / (meanC ** 7 + 25 ** 7)));
  const [p1, p2] = [a1 * (1 + g), a2 * (1 + g)];
  const [c1, c2] = [Math.hypot(p1, b1), Math.hypot(p2, b2)];
  const hue = (b: number, a: number) => (a === 0 && b === 0 ? 0 : (Math.atan2(b, a) / RAD + 360) % 360);
  const [h1, h2] = [hue(b1, p1), hue(b2, p2)];
  const gray = c1 * c2 === 0;
  let dh = gray ? 0 : h2 - h1;
  if (dh > 180) dh -= 360;
  else if (dh < -180) dh += 360;
  const dH = 2 * Math.sqrt(c1 * c2) * Math.sin((dh / 2) * RAD);
  let h = h1 + h2;
  if (!gray) h = Math.abs(h1 - h2) <= 180 ? h / 2 : h < 360 ? h / 2 + 180 : h / 2 - 180;
  const l = (l1 + l2) / 2;
  const c = (c1 + c2) / 2;
  const t =
    1 -
    0.17 * Math.cos((h - 30) * RAD) +
    0.24 * Math.cos(2 * h * RAD) +
    0.32 * Math.cos((3 * h + 6) * RAD) -
    0.2 * Math.cos((4 * h - 63) * RAD);
  const sl = 1 + (0.015 * (l - 50) ** 2) / Math.sqrt(20 + (l - 50) ** 2);
  const sc = 1 + 0.045 * c;
  const sh = 1 + 0.015 * c * t;
  const rt = -2 * Math.sqrt(c ** 7 / (c ** 7 + 25 ** 7)) * Math.sin(60 * Math.exp(-(((h - 275) / 25) ** 2)) * RAD);
  const [dl, dc] = [(l2 - l1) / sl, (c2 - c1) / sc];
  return Math.sqrt(dl ** 2 + dc ** 2 + (dH / sh) ** 2 + rt * dc * (dH / sh));
}

test("the measure is right: pairs of the published test data", () => {
  expect(difference([50, 2.6772, -79.7751], [50, 0, -82.7485])).toBeCloseTo(2.0425, 4);
  expect(difference([50, 2.5, 0], [73, 25, -18])).toBeCloseTo(27.1492, 4);
  expect(difference([2.0776, 0.0795, -1.135], [0.9033, -0.0636, -0.5514])).toBeCloseTo(0.9082, 4);
});

describe.each(["light", "dark"] as const)("%s", (theme) => {
  test.each(Object.keys(SIGHTS))("any two class colors differ by 10 under %s", (sight) => {
    const labs = Array.from({ length: NUM_HUES }, (_, i) => lab(seen(color(`c${i}`, theme), sight)));
    const near = labs.flatMap((a, i) =>
      labs.slice(i + 1).map((b, j) => ({ pair: `c${i} c${i + 1 + j}`, apart: difference(a, b) })),
    );
    expect(near.filter(({ apart }) => apart < 10)).toEqual([]);
  });
});

test("24 classes in a row differ by hue or by line", () => {
  const looks = Array.from({ length: 24 }, (_, c) => `${classColor(c).split(", ")[1]} ${classDash(c)}`);
  expect(new Set(looks).size).toBe(24);
});

test("a dataset keeps a hue as it is on the light theme", () => {
  expect([...HUES]).toEqual(HUES.map((_, i) => tokens.get(`c${i}`)?.light));
  expect(HUES).toHaveLength(NUM_HUES);
});

test("only colors reach the style of a widget", () => {
  const given = { 0: HUES[3], 12: "#a1b2c3", 2: "red;background:url(x)" };
  expect(ownColors(given)).toEqual({
    "--penstock-class-0": "var(--penstock-c3)",
    "--penstock-class-12": "#a1b2c3",
    "--penstock-class-2": "var(--penstock-neutral)",
  });
});
