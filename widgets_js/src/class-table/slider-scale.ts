// Where a weight stands on the sliders, which share one scale, and what a key does to it. Positions run from 0 to 1000:
// 0 is weight 0, then logarithmic from 1/most over 1 at the center to `most`, which is 100 or the next power of ten.

export const END = 1000;
export const USUAL_MOST = 100;
const HIGHEST = 1e15;
const CENTER = END / 2;
const ZERO_ZONE = 20; // positions that mean 0
const CENTER_ZONE = 8; // positions either side of the center that mean 1
const STEP = 1.1;
const PAGE = 2;

/** Three significant digits, as the text shows them. */
export function roundWeight(weight: number): number {
  return weight > 0 ? Number(weight.toPrecision(3)) : 0;
}

/** The weight under the thumb, caught at 0 and at 1. */
export function weightAt(position: number, most = USUAL_MOST): number {
  if (position < ZERO_ZONE) return 0;
  if (Math.abs(position - CENTER) <= CENTER_ZONE) return 1;
  if (position < CENTER) return roundWeight((1 / most) ** ((CENTER - position) / (CENTER - ZERO_ZONE)));
  return roundWeight(most ** ((position - CENTER) / (END - CENTER)));
}

export function positionOf(weight: number, most = USUAL_MOST): number {
  if (!(weight > 0)) return 0;
  const way = Math.log(weight) / Math.log(most);
  if (weight >= 1) return Math.min(END, Math.round(CENTER + (END - CENTER) * way));
  return Math.max(ZERO_ZONE, Math.round(CENTER + way * (CENTER - ZERO_ZONE)));
}

/** What the sliders must reach for these weights, to the right as many times 1 as to the left. */
export function mostFor(weights: Iterable<number>): number {
  let most = USUAL_MOST;
  for (const weight of weights) {
    if (!(weight > 0)) continue;
    while (most < HIGHEST && (weight > most * 1.0001 || weight * most < 0.9999)) most *= 10;
  }
  return most;
}

const FACTORS: Readonly<Record<string, number>> = {
  ArrowRight: STEP,
  ArrowLeft: 1 / STEP,
  PageUp: PAGE,
  PageDown: 1 / PAGE,
};

/** The weight after a key, null for a key that is not ours. Steps over 1 stop there. */
export function weightAfterKey(weight: number, key: string, most = USUAL_MOST): number | null {
  if (key === "Home") return 0;
  if (key === "End") return most;
  const factor = FACTORS[key];
  if (factor === undefined) return null;
  if (weight === 0) return factor > 1 ? 1 / most : 0;
  const next = weight * factor;
  if ((weight < 1 && next > 1) || (weight > 1 && next < 1) || Math.abs(next - 1) < 0.005) return 1;
  if (next < 0.999 / most) return 0;
  return Math.min(HIGHEST, roundWeight(next));
}
