// Samples that are likely next, on their way from the kernel: each is asked for once, whoever goes to it meanwhile waits for
// that answer, and what is no longer likely is cancelled.
import { isCancelled, type Reply, type Rpc } from "./rpc.ts";

type Answer = Reply<"sample.get">;

export class SamplesAhead {
  /** A sample has arrived at a position, or, with null, has not and will not. */
  onAnswer: (position: number, answer: Answer | null) => void = () => {};
  private readonly rpc: Rpc;
  private readonly flights = new Map<number, AbortController>();

  constructor(rpc: Rpc) {
    this.rpc = rpc;
  }

  /** Whether a position was asked for and has not arrived. */
  has(position: number): boolean {
    return this.flights.has(position);
  }

  /** Ask for positions, the likeliest first; cancel all others but those in `kept`. */
  want(positions: readonly number[], kept: readonly number[] = []): void {
    for (const [position, abort] of this.flights) {
      if (positions.includes(position) || kept.includes(position)) continue;
      this.flights.delete(position);
      abort.abort();
    }
    for (const position of positions) if (!this.flights.has(position)) void this.fetch(position);
  }

  stop(): void {
    this.want([]);
  }

  private async fetch(position: number): Promise<void> {
    const abort = new AbortController();
    this.flights.set(position, abort);
    let answer: Answer | null = null;
    try {
      answer = await this.rpc.call("sample.get", { position }, { signal: abort.signal });
    } catch (failure) {
      if (isCancelled(failure) || abort.signal.aborted) return;
    }
    if (this.flights.get(position) !== abort) return;
    this.flights.delete(position);
    this.onAnswer(position, answer);
  }
}
