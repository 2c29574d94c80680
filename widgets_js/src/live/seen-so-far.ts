// Coverage while training runs: the past as it was drawn, and what the weights of now promise from here on.
import type { LiveState, Mode } from "../session/protocol.ts";
import { countText, shareText } from "../ui/number-text.ts";
import type { Told } from "../ui/strip-parts.tsx";

export interface SeenSoFar {
  readonly epochs: readonly number[]; // ends of epochs, and now
  readonly coverage: { unique: Float64Array; low: Float64Array; high: Float64Array };
  readonly now: number; // epochs drawn by now, with the part of the one under way
  readonly past: readonly number[]; // samples seen after each epoch that has ended
  readonly mode: Mode;
}

/** Null before anything is drawn, and where nothing is promised. */
export function seenSoFar(live: LiveState | null, mode: Mode): SeenSoFar | null {
  if (live === null || live.promise === null || live.num_seen === null || live.position === 0) return null;
  const { seen, num_seen: found, promise } = live;
  const now = live.position / Math.max(1, live.draws);
  const ends = seen.map((_, i) => i + 1).filter((epoch) => epoch < now);
  const ahead = promise.epochs.map((epoch, i) => ({ epoch, i })).filter(({ epoch }) => epoch > now);
  const values = (key: "seen" | "low" | "high"): Float64Array =>
    Float64Array.from([...ends.map((_, i) => seen[i] ?? 0), found, ...ahead.map(({ i }) => promise[key][i] ?? 0)]);
  return {
    epochs: [...ends, now, ...ahead.map(({ epoch }) => epoch)],
    coverage: { unique: values("seen"), low: values("low"), high: values("high") },
    now,
    past: seen,
    mode,
  };
}

/** What is seen, and what will be at the end of the epoch under way and of a later one. */
export function seenText({ num_seen, promise }: LiveState, basis: number): Told {
  const share = (count: number): string => shareText(basis > 0 ? count / basis : 0);
  const ends = (promise?.epochs ?? []).map((epoch, i) => ({ epoch, seen: promise?.seen[i] ?? 0 }));
  const [first, later] = [ends[0], ends[3]];
  const sentence: Told["sentence"] =
    first === undefined || later === undefined
      ? []
      : [
          "As drawn. The weights of now promise ",
          { figure: share(first.seen) },
          ` by the end of epoch ${countText(first.epoch)}, `,
          { figure: share(later.seen) },
          ` by that of ${countText(later.epoch)}.`,
        ];
  return { headline: `${share(num_seen ?? 0)} seen by now.`, sentence };
}
