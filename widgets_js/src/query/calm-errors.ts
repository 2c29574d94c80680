// Errors while one types: none for what is being typed, and a new one only when the typing has paused.
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Diagnostic } from "../session/protocol.ts";

export const PAUSE_MS = 800;

interface Shown {
  /** The text the places are in. */
  text: string;
  diagnostics: readonly Diagnostic[];
}

const NONE: Shown = { text: "", diagnostics: [] };
const isError = ({ severity }: Diagnostic): boolean => severity === "error";

export class CalmErrors {
  private readonly now = signal<Shown>(NONE);
  private typedAt = Number.NEGATIVE_INFINITY;
  private timer: ReturnType<typeof setTimeout> | undefined;

  get shown(): ReadonlySignal<Shown> {
    return this.now;
  }

  /** The user changed [from, to): an error there is no longer true, and nothing new is said for a while. */
  typed(from: number, to: number): void {
    this.typedAt = performance.now();
    clearTimeout(this.timer);
    const { text, diagnostics } = this.now.value;
    const left = diagnostics.filter((one) => to < one.from || from > one.to);
    if (left.length < diagnostics.length) this.now.value = { text, diagnostics: left };
  }

  /** What the kernel found in the text; what a run found is shown `atOnce`. */
  found(text: string, diagnostics: readonly Diagnostic[], atOnce = false): void {
    clearTimeout(this.timer);
    const known = new Set(this.now.value.diagnostics.map(({ message }) => message));
    const fresh = diagnostics.filter((one) => isError(one) && !known.has(one.message));
    const wait = this.typedAt + PAUSE_MS - performance.now();
    const show = (): void => {
      this.now.value = { text, diagnostics };
    };
    if (atOnce || fresh.length === 0 || wait <= 0) {
      if (diagnostics.length > 0 || this.now.value.diagnostics.length > 0) show();
      return;
    }
    this.now.value = { text, diagnostics: diagnostics.filter((one) => !fresh.includes(one)) };
    this.timer = setTimeout(show, wait);
  }

  clear(): void {
    clearTimeout(this.timer);
    this.now.value = NONE;
  }

  dispose(): void {
    clearTimeout(this.timer);
  }
}

/** The first sentence of an error, without its hint and its list of what was expected. */
export function oneSentence(message: string): string {
  const first = message.split(/(?<=[\w'")…])\. (?=[A-Z])/)[0] ?? message;
  return first.replace(/\.$/, "");
}
