// SAMPLE BY as one pill, where the whole query would take more lines than it has; and how many lines a text takes.
import type { Token } from "./tokens.ts";

export interface Fold {
  from: number;
  to: number;
  /** What is called, as written: max_weight. */
  name: string;
  /** "80 clauses", or another few words for what is folded. */
  content: string;
}

export const MAX_LINES = 3;
const FOLD_FROM = 3; // lines

/** The SAMPLE BY of a query up to the end of its weights; null where there is none that is complete. */
export function sampleBy(text: string, found: readonly Token[]): Fold | null {
  const word = (i: number): string => text.slice(found[i]?.from, found[i]?.to).toUpperCase();
  const start = found.findIndex(({ kind }, i) => kind === "keyword" && word(i) === "SAMPLE" && word(i + 1) === "BY");
  const called = found[start + 2];
  if (start < 0 || called?.kind !== "function" || word(start + 3) !== "(") return null;
  const end = endOfCall(found.slice(start + 3).map((_, i) => word(start + 3 + i)));
  const to = end === null ? undefined : found[start + 3 + end.at]?.to;
  if (end === null || to === undefined) return null;
  const name = text.slice(called.from, called.to);
  return { from: found[start]?.from ?? 0, to, name, content: contentOf(end.commas, text.slice(called.to, to)) };
}

/** Where the bracket that opens first is closed, and how many commas are directly in it. */
function endOfCall(words: readonly string[]): { at: number; commas: number } | null {
  let depth = 0;
  let commas = 0;
  for (const [at, word] of words.entries()) {
    if (word === "(" || word === "[") depth++;
    else if (word === ")" || word === "]") depth--;
    else if (word === "," && depth === 1) commas++;
    if (depth === 0) return { at, commas };
  }
  return null;
}

function contentOf(commas: number, text: string): string {
  if (commas > 0) return `${commas + 1} clauses`;
  return /\bclasses\s*\(/i.test(text) ? "a weight for each class" : "1 clause";
}

/** Lines that a text takes in so many columns, broken after spaces, and anywhere in a word that is longer than a line. */
export function linesOf(text: string, columns: number): number {
  if (columns < 1) return 1;
  let lines = 0;
  for (const line of text.split("\n")) {
    lines++;
    let at = 0;
    for (const [word] of line.matchAll(/\S+\s*|\s+/g)) {
      const seen = word.trimEnd().length;
      if (at > 0 && at + seen > columns) {
        lines++;
        at = 0;
      }
      if (seen > columns) lines += Math.ceil(seen / columns) - 1;
      at = seen > columns ? (seen % columns) + word.length - seen : at + word.length;
    }
  }
  return lines;
}

/** Whether SAMPLE BY is to be folded: the whole takes more than two lines. */
export function isLong(text: string, columns: number): boolean {
  return text.length > columns * (FOLD_FROM - 1) || linesOf(text, columns) >= FOLD_FROM;
}
