// Keys pressed while the sample they are meant for has not arrived: done in their order when it has.
import { effect, type ReadonlySignal, untracked } from "@preact/signals";

const MOST = 200;

export class TypeAhead {
  private readonly waiting: (() => void)[] = [];
  private readonly busy: ReadonlySignal<boolean>;
  private readonly stop: () => void;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(busy: ReadonlySignal<boolean>) {
    this.busy = busy;
    this.stop = effect(() => {
      if (!busy.value) untracked(() => this.soon());
    });
  }

  /** Do it now, or after what waits; `moves`: it goes to another sample, for which none has to have arrived. */
  run(act: () => void, moves: boolean): void {
    if (this.waiting.length === 0 && (moves || !this.busy.peek())) act();
    else if (this.waiting.length < MOST) this.waiting.push(act);
  }

  /** Nobody waits any more: how many keys were dropped. */
  drop(): number {
    return this.waiting.splice(0).length;
  }

  dispose(): void {
    this.stop();
    clearTimeout(this.timer);
    this.drop();
  }

  /** After what was drawn of the sample. */
  private soon(): void {
    clearTimeout(this.timer);
    if (this.waiting.length > 0) this.timer = setTimeout(() => this.drain(), 0);
  }

  private drain(): void {
    if (this.busy.peek()) return;
    this.waiting.shift()?.();
    if (!this.busy.peek()) this.soon();
  }
}
