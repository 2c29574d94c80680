// What a view told the kernel of weights and will hear again.

export function sameWeights(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
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
