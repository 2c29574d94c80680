// The bars of a class while training runs: what the epoch has drawn, and for the rest of it what the weights promise.
import type { LiveState } from "../session/protocol.ts";
import type { Histogram } from "../statistics/histogram.ts";

/** Counts of each class drawn in the epoch under way; null where none is, or where they are not counted. */
export function pastOf(live: LiveState | null, unit: "instances" | "samples"): readonly number[] | null {
  if (live === null || live.state === "ended" || live.state === "ready" || unit === "samples") return null;
  return live.drawn;
}

/** `past` is certain; the rest of the epoch is expected by the weights of now, with a band as wide as that part allows. */
export function withPast(promised: Histogram, past: readonly number[], live: LiveState): Histogram {
  const left = live.num_batches > 0 ? 1 - live.batch / live.num_batches : 1;
  const width = Math.sqrt(left);
  const made = {
    raw: promised.raw,
    expected: promised.expected.slice(),
    low: promised.low.slice(),
    high: promised.high.slice(),
  };
  for (const [c, drawn] of past.entries()) {
    const [mean, low, high] = [promised.expected[c] ?? 0, promised.low[c] ?? 0, promised.high[c] ?? 0];
    const middle = drawn + left * mean;
    made.expected[c] = middle;
    made.low[c] = Math.max(drawn, middle - width * (mean - low));
    made.high[c] = middle + width * (high - mean);
  }
  return made;
}
