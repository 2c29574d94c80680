// What a view remembers of weights: gestures to take back, and what it told the kernel and will hear again.

export function sameWeights(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

const MOST_GESTURES = 100;

/** Undo and redo of whole gestures. */
export class WeightHistory {
  private readonly past: Float64Array[] = [];
  private readonly future: Float64Array[] = [];

  remember(now: Float64Array): void {
    const last = this.past.at(-1);
    if (last !== undefined && sameWeights(last, now)) return;
    this.past.push(now);
    this.future.length = 0;
    if (this.past.length > MOST_GESTURES) this.past.shift();
  }

  /** The weights to go to, or null where there are none for these clauses. */
  undo(now: Float64Array): Float64Array | null {
    return step(this.past, this.future, now);
  }

  redo(now: Float64Array): Float64Array | null {
    return step(this.future, this.past, now);
  }
}

function step(from: Float64Array[], to: Float64Array[], now: Float64Array): Float64Array | null {
  const values = from.pop();
  if (values === undefined || values.length !== now.length) return null;
  to.push(now);
  return values;
}

const ECHO_MS = 2000;

/** Our own weights come back as a trait: they may be older than what the slider shows by then. */
export class EchoFilter {
  private told: { weights: string; at: number }[] = [];

  tell(weights: readonly number[]): void {
    this.told = this.recent();
    this.told.push({ weights: weights.join(), at: Date.now() });
  }

  isEcho(values: Float64Array): boolean {
    const recent = this.recent();
    const found = recent.findIndex(({ weights }) => weights === values.join());
    this.told = recent.slice(found + 1);
    return found >= 0;
  }

  private recent(): { weights: string; at: number }[] {
    return this.told.filter(({ at }) => Date.now() - at < ECHO_MS);
  }
}
