// Samples of the scripted kernel: shapes on images of one size.
export const NAMES = ["Circle", "Square", "Triangle", "Star", "Ring", "Cross"];
const SHARES = [0.62, 0.33, 0.2, 0.09, 0.05, 0.02];

export interface Sample {
  labels: number[];
  boxes: number[];
  hue: number;
}

export const WIDTH = 320;
export const HEIGHT = 240;

function random(seed: number): () => number {
  let state = seed % 2147483647 || 1;
  return () => {
    state = (state * 16807) % 2147483647;
    return state / 2147483647;
  };
}

/** A sample as it is before any edit, the same each time. */
export function originalSample(row: number, singleLabel: boolean): Sample {
  const next = random(row * 7919 + 17);
  next();
  const labels: number[] = [];
  SHARES.forEach((share, k) => {
    if (next() < share) labels.push(k);
  });
  if (labels.length === 0) labels.push(0);
  if (singleLabel) return { labels: row % 10 === 9 ? [] : labels.slice(-1), boxes: [], hue: next() * 360 };
  const boxes = labels.flatMap(() => {
    const side = 40 + next() * 70;
    return [next() * (WIDTH - side), next() * (HEIGHT - side), side, side].map(Math.round);
  });
  return { labels, boxes, hue: next() * 360 };
}

/** How many labels there are of each class. */
export function countsOf(rows: readonly (readonly number[])[], numClasses: number): number[] {
  const counts = Array.from({ length: numClasses }, () => 0);
  for (const labels of rows) for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
}
