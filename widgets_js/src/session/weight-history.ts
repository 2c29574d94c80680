// One undo for everything one does to weights: numbers, drags, presets, clauses that come and go, target shares. A state is
// the SAMPLE BY with its weights, never the pool: going back leaves what the query asks for as it is.
import { renamedText } from "./followed.ts";
import { splitSampling, withoutWeights } from "./live-text.ts";
import type { ClauseInfo, FollowedClasses } from "./protocol.ts";
import { formatWeight } from "./text-binding.ts";
import { sameWeights } from "./weight-memory.ts";

export interface WeightState {
  readonly sampling: string; // SAMPLE BY and all after it; "": none
  readonly frame: string; // the same without its weights
  readonly weights: Float64Array;
  readonly clauses: readonly { readonly expression: string; readonly label: string }[];
}

export interface Gesture {
  readonly name: string | null; // null: what changed says it
  readonly key?: string; // of what is moved: its next move soon after belongs to the same gesture
}

export interface WeightStep {
  readonly to: WeightState;
  readonly text: string; // what was taken back or done again
}

interface Entry {
  readonly name: string | null;
  readonly state: WeightState;
}

const MOST_ENTRIES = 100;
const SAME_GESTURE_MS = 800;

const MOST_KEPT = 32;
const KEPT_LETTERS = 100_000;

type KeptEntry = { name: string | null; state: Omit<WeightState, "weights"> & { weights: number[] } };

function asKept({ name, state }: Entry): KeptEntry {
  const clauses = state.clauses.map(({ expression, label }) => ({ expression, label }));
  return { name, state: { ...state, clauses, weights: Array.from(state.weights) } };
}

function fromKept({ name, state }: KeptEntry): Entry {
  const { sampling, frame, clauses } = state;
  const weights = Float64Array.from(state.weights);
  if (typeof sampling !== "string" || typeof frame !== "string" || clauses.length !== weights.length)
    throw new TypeError("not the steps of weights");
  return { name, state: { sampling, frame, clauses, weights } };
}

export function weightState(text: string, clauses: readonly ClauseInfo[], weights: Float64Array): WeightState {
  return {
    sampling: splitSampling(text).sampling,
    frame: splitSampling(withoutWeights({ text, clauses })).sampling,
    weights,
    clauses,
  };
}

export function sameState(a: WeightState, b: WeightState): boolean {
  return a.frame === b.frame && sameWeights(a.weights, b.weights);
}

export class WeightHistory {
  /** There are other steps than before. */
  onChange: () => void = () => {};
  private past: Entry[] = [];
  private future: Entry[] = [];
  private last: { key: string; at: number } | null = null;

  /** Called with what is, before a gesture changes it. */
  remember(state: WeightState, { name, key }: Gesture): void {
    const last = this.past.at(-1);
    if (this.continues(key) || (last !== undefined && sameState(last.state, state))) return;
    this.past.push({ name, state });
    this.future = [];
    if (this.past.length > MOST_ENTRIES) this.past.shift();
    this.onChange();
  }

  /** Whether a move belongs to the gesture before it; either way it is the last one now. */
  private continues(key: string | undefined): boolean {
    const now = Date.now();
    const same = key !== undefined && this.last?.key === key && now - this.last.at < SAME_GESTURE_MS;
    this.last = key === undefined ? null : { key, at: now };
    return same;
  }

  /** A gesture goes on, or was answered late: what follows soon belongs to it. */
  keepOn(key: string): void {
    this.last = { key, at: Date.now() };
  }

  /** Where to go back to from `now`, or null. The step counts once `taken` is called. */
  undo(now: WeightState): { step: WeightStep; taken: () => void } | null {
    return this.step(this.past, this.future, now, (from, to) => [to, from]);
  }

  redo(now: WeightState): { step: WeightStep; taken: () => void } | null {
    return this.step(this.future, this.past, now, (from, to) => [from, to]);
  }

  private step(
    from: Entry[],
    to: Entry[],
    now: WeightState,
    ordered: (now: WeightState, then: WeightState) => [WeightState, WeightState],
  ): { step: WeightStep; taken: () => void } | null {
    while (from.length > 0 && sameState((from.at(-1) as Entry).state, now)) from.pop(); // a gesture that came to nothing
    const entry = from.at(-1);
    if (entry === undefined) return null;
    const taken = (): void => {
      from.pop();
      to.push({ name: entry.name, state: now });
      this.last = null;
      this.onChange();
    };
    const text = entry.name ?? changedText(...ordered(now, entry.state));
    return { step: { to: entry.state, text }, taken };
  }

  /** Classes were renamed under the query. */
  rename(renames: FollowedClasses["renames"]): void {
    const now = ({ name, state }: Entry): Entry => ({
      name,
      state: {
        ...state,
        sampling: renamedText(state.sampling, renames),
        frame: renamedText(state.frame, renames),
        clauses: state.clauses.map(({ expression, label }) => ({
          expression: renamedText(expression, renames),
          label: renames.find(([old]) => old === label)?.[1] ?? label,
        })),
      },
    });
    this.past = this.past.map(now);
    this.future = this.future.map(now);
    this.onChange();
  }

  /** The steps as text, for a page that is loaded again: as many of the last ones as fit. */
  kept(): string {
    for (let most = MOST_KEPT; most > 0; most = Math.floor(most / 2)) {
      const text = JSON.stringify([this.past, this.future].map((entries) => entries.slice(-most).map(asKept)));
      if (text.length <= KEPT_LETTERS) return text;
    }
    return "";
  }

  /** Go on from what was kept; what cannot be read is as good as nothing. */
  restore(text: string): void {
    if (this.past.length + this.future.length > 0) return;
    try {
      const [past, future] = JSON.parse(text) as [KeptEntry[], KeptEntry[]];
      [this.past, this.future] = [past.map(fromKept), future.map(fromKept)];
    } catch {
      [this.past, this.future] = [[], []];
    }
  }
}

/** Weight of each clause by its source; of clauses with the same source, all in order. */
export function weightsByExpression({ clauses, weights }: WeightState): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const [i, { expression }] of clauses.entries()) {
    found.set(expression, [...(found.get(expression) ?? []), weights[i] ?? 1]);
  }
  return found;
}

/** The weights of a state for other clauses: by their source, as they are where the state does not know it. */
export function weightsFor(state: WeightState, clauses: readonly ClauseInfo[], now: Float64Array): Float64Array {
  const known = weightsByExpression(state);
  return Float64Array.from(clauses, ({ expression }, i) => known.get(expression)?.shift() ?? now[i] ?? 1);
}

/** "Cross 1 → 20", or how many weights changed. A clause that is not there weighs 1. */
export function changedText(before: WeightState, after: WeightState): string {
  const was = weightsByExpression(before);
  const changes: string[] = [];
  for (const [i, { expression, label }] of after.clauses.entries()) {
    const from = was.get(expression)?.shift() ?? 1;
    const to = after.weights[i] ?? 1;
    if (from !== to) changes.push(`${label} ${formatWeight(from)} → ${formatWeight(to)}`);
  }
  for (const { expression, label } of before.clauses) {
    const from = was.get(expression)?.shift();
    if (from !== undefined && from !== 1) changes.push(`${label} ${formatWeight(from)} → 1`);
  }
  if (changes.length === 0) return "the weights";
  return changes.length === 1 ? (changes[0] as string) : `${changes.length} weights`;
}
