// The weights of a schedule over the positions of its stream, as step lines: past, and what is to come.
import type { LiveState } from "../session/protocol.ts";

export interface WeightLine {
  readonly label: string;
  readonly classIndex: number | null;
  readonly steps: readonly { readonly start: number; readonly weight: number }[]; // where the weight is another
  readonly moved: boolean; // during training
}

/** The last change of the schedule: of one clause, or how many changed at once. */
export interface LastChange {
  readonly start: number;
  readonly label: string;
  readonly from: number;
  readonly to: number;
  readonly others: number;
}

/** Those whose weight was moved in mid-run, else those that weigh other than 1; the latest moved first. */
export function weightLines({ clauses, entries }: LiveState): WeightLine[] {
  const lines = clauses.map(({ label, class_index }, i): WeightLine => {
    const steps: { start: number; weight: number }[] = [];
    for (const { start, weights } of entries) {
      const weight = weights[i] ?? 1;
      if (steps.at(-1)?.weight !== weight) steps.push({ start, weight });
    }
    return { label, classIndex: class_index, steps, moved: steps.length > 1 };
  });
  const last = ({ steps }: WeightLine): number => steps.at(-1)?.start ?? 0;
  const moved = lines.filter((line) => line.moved).sort((a, b) => last(b) - last(a));
  const still = lines.filter((line) => !line.moved && line.steps[0]?.weight !== 1);
  return [...moved, ...still];
}

export function lastChange({ clauses, entries }: LiveState): LastChange | null {
  const [before, now] = entries.slice(-2);
  if (before === undefined || now === undefined) return null;
  const changed = clauses.flatMap(({ label }, i) => {
    const [from, to] = [before.weights[i] ?? 1, now.weights[i] ?? 1];
    return from === to ? [] : [{ label, from, to }];
  });
  const [first] = changed;
  if (first === undefined) return null;
  return { ...first, start: now.start, others: changed.length - 1 };
}

/** From the begin of the stream to the end of the epoch under way, or of that in which the last entry begins. */
export function extentOf({ draws, position, epoch, entries }: LiveState): number {
  const length = Math.max(1, draws);
  const begins = entries.at(-1)?.start ?? 0;
  return length * Math.max(1, epoch + 1, Math.ceil(position / length), Math.floor(begins / length) + 1);
}

const LEAST = 0.5; // of the lowest weight: where a weight of 0 is drawn

/** Lowest and highest weight of the axis; 0 is drawn below the lowest. */
export function weightExtent(lines: readonly WeightLine[]): { low: number; high: number; zero: boolean } {
  const all = lines.flatMap(({ steps }) => steps.map(({ weight }) => weight));
  const positive = all.filter((weight) => weight > 0);
  const zero = positive.length < all.length;
  const low = Math.min(1, ...positive) * (zero ? LEAST : 1);
  return { low, high: Math.max(2, ...positive), zero };
}
