// The number of instances in rows that come independently, given how many rows come: exact, and dearer than one sum.
import { massesOfHalf, turnsOf } from "./fourier.ts";

/** Rows that come independently, given how many of them do, by kind. */
export interface Choice {
  readonly shares: readonly number[]; // probability of a row
  readonly counts: readonly number[]; // instances in a row
  readonly rows: readonly number[];
  readonly draws: number;
  readonly fixed: number; // what comes besides
}

/** Points of the circle on which the number of rows is told. */
export function pointsOf({ shares, rows }: Choice): number {
  let spread = 0;
  let all = 0;
  for (const [i, share] of shares.entries()) {
    spread += (rows[i] as number) * share * (1 - share);
    all += rows[i] as number;
  }
  return Math.min(Math.ceil(9 * Math.sqrt(spread)) + 20, all + 1);
}

/** The masses of counts 0, 1, ... modulo the length. */
export function choiceMasses({ shares, counts, rows, draws }: Choice, length: number, points: number): Float64Array {
  const half = length / 2;
  const turns = turnsOf(length);
  const re = new Float64Array(length);
  const im = new Float64Array(length);
  for (let p = 0; p < points; p++) {
    const phase = (2 * Math.PI * p) / points;
    const [cos, sin] = [Math.cos(phase), Math.sin(phase)];
    const back = (-2 * Math.PI * ((draws * p) % points)) / points;
    const x = new Float64Array(half + 1).fill(Math.cos(back));
    const y = new Float64Array(half + 1).fill(Math.sin(back));
    for (const [g, share] of shares.entries()) {
      const turn = (counts[g] as number) % length;
      for (let j = 0, at = 0; j <= half; j++) {
        const c = turns.cos[at] as number;
        const s = turns.sin[at] as number;
        const a = 1 - share + share * (cos * c - sin * s);
        const b = share * (cos * s + sin * c);
        raise(x, y, j, [a, b, rows[g] as number]);
        at += turn;
        if (at >= length) at -= length;
      }
    }
    for (let j = 0; j <= half; j++) {
      re[j] = (re[j] as number) + (x[j] as number);
      im[j] = (im[j] as number) + (y[j] as number);
    }
  }
  const all = re[0] as number;
  return massesOfHalf(
    re.map((value) => value / all),
    im.map((value) => value / all),
  );
}

/** Times (a + b i) to a power. */
function raise(x: Float64Array, y: Float64Array, j: number, [a, b, power]: readonly [number, number, number]): void {
  let [c, d] = [a, b];
  if (power > 1) {
    const size = Math.hypot(a, b) ** power;
    const angle = Math.atan2(b, a) * power;
    [c, d] = [size * Math.cos(angle), size * Math.sin(angle)];
  }
  const [u, v] = [x[j] as number, y[j] as number];
  x[j] = u * c - v * d;
  y[j] = u * d + v * c;
}
