// Where a weight stands on its slider, and what a key does to it. Positions run from 0 to 1000: 0 is weight 0, then
// logarithmic from 0.01 over 1 at the center to 100, or to what was typed.

export const END = 1000;
export const LEAST = 0.01;
export const USUAL_MOST = 100;
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
  if (position < CENTER) return roundWeight(LEAST ** ((CENTER - position) / (CENTER - ZERO_ZONE)));
  return roundWeight(most ** ((position - CENTER) / (END - CENTER)));
}

export function positionOf(weight: number, most = USUAL_MOST): number {
  if (!(weight > 0)) return 0;
  if (weight >= 1) return Math.min(END, Math.round(CENTER + ((END - CENTER) * Math.log(weight)) / Math.log(most)));
  const below = Math.log(weight) / Math.log(LEAST);
  return Math.max(ZERO_ZONE, Math.round(CENTER - below * (CENTER - ZERO_ZONE)));
}

/** What a slider must reach to the right for this weight. */
export function mostFor(weight: number, most = USUAL_MOST): number {
  return weight > most ? roundWeight(weight) : most;
}

const FACTORS: Readonly<Record<string, number>> = {
  ArrowUp: STEP,
  ArrowRight: STEP,
  ArrowDown: 1 / STEP,
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
  if (weight === 0) return factor > 1 ? LEAST : 0;
  const next = weight * factor;
  if ((weight < 1 && next > 1) || (weight > 1 && next < 1) || Math.abs(next - 1) < 0.005) return 1;
  if (next < LEAST * 0.999) return 0;
  return Math.min(Math.max(most, weight), roundWeight(next));
}
