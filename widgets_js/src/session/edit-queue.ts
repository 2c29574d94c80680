// Edits of samples on their way to the kernel: one after another, each with the state that the one before it left.
import { type ReadonlySignal, signal } from "@preact/signals";

interface Line {
  state: string;
  waiting: number;
  refusals: number;
}

/** Sends one edit of a sample in a state; the state it left, or null where it was refused. */
export type SendEdit = (state: string) => Promise<string | null>;

export class EditQueue {
  private readonly count = signal(0);
  private last: Promise<boolean> = Promise.resolve(true);
  private readonly lines = new Map<string, Line>();

  /** Edits that no reply has yet, of any sample. */
  get waiting(): ReadonlySignal<number> {
    return this.count;
  }

  /** Edits of one sample that no reply has yet. */
  waitingOf(uid: string): number {
    return this.lines.get(uid)?.waiting ?? 0;
  }

  /** Send an edit after those before it; false where it, or one of the same sample that it was made on, was refused. */
  push(uid: string, state: string, send: SendEdit): Promise<boolean> {
    const line = this.lines.get(uid) ?? { state, waiting: 0, refusals: 0 };
    this.lines.set(uid, line);
    const { refusals } = line;
    const go = async (): Promise<boolean> => {
      if (line.refusals !== refusals) return false;
      const left = await send(line.state);
      if (left === null) line.refusals += 1;
      else line.state = left;
      return left !== null;
    };
    const first = this.count.peek() === 0;
    line.waiting += 1;
    this.count.value += 1;
    const sent = first ? go() : this.last.then(go);
    this.last = sent;
    return sent.finally(() => {
      line.waiting -= 1;
      if (line.waiting === 0 && this.lines.get(uid) === line) this.lines.delete(uid);
      this.count.value -= 1;
    });
  }

  /** When all that was sent until now has its reply; null where nothing is on its way. */
  settled(): Promise<unknown> | null {
    return this.count.peek() > 0 ? this.last : null;
  }
}
