// The text under edit against the query that ran: which literals its sliders own, and whether the text still has the
// structure the charts were computed for.
import type { ClauseInfo } from "./protocol.ts";

const NUMBER = /^(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** Maps a position of the old text to the new one; `side` -1 keeps it before an insertion, 1 after. */
export type PositionMap = (position: number, side: -1 | 1) => number;

export interface Followed {
  clauses: ClauseInfo[];
  /** Every change lies inside weight literals, and each is a number still. */
  onlyNumbers: boolean;
}

/** Follow the literals of `clauses` through an edit; numbers typed into them become their weights. */
export function followEdit(text: string, clauses: readonly ClauseInfo[], map: PositionMap, outside: boolean): Followed {
  let onlyNumbers = !outside;
  const followed = clauses.map((clause) => {
    if (clause.from === null || clause.to === null) return clause;
    const from = map(clause.from, -1);
    const to = map(clause.to, 1);
    const literal = text.slice(from, to);
    if (!NUMBER.test(literal)) {
      onlyNumbers = false;
      return { ...clause, from, to };
    }
    return { ...clause, from, to, weight: Number(literal) };
  });
  return { clauses: followed, onlyNumbers };
}

/** The same expressions in the same order: the strata of the query that ran are still the right ones. */
export function sameStructure(a: readonly ClauseInfo[], b: readonly ClauseInfo[]): boolean {
  return a.length === b.length && a.every((clause, i) => clause.expression === b[i]?.expression);
}

interface ClausedText {
  text: string;
  clauses: readonly ClauseInfo[];
}

/** Equal texts but for the literals of their weights. */
export function sameButWeights(a: ClausedText, b: ClausedText): boolean {
  return withoutWeights(a) === withoutWeights(b);
}

/** The text with a mark in place of each literal of a weight. */
export function withoutWeights({ text, clauses }: ClausedText): string {
  const literals = clauses.filter(({ from, to }) => from !== null && to !== null);
  return literals
    .sort((a, b) => (b.from as number) - (a.from as number))
    .reduce((rest, { from, to }) => `${rest.slice(0, from as number)}\0${rest.slice(to as number)}`, text);
}

const APART = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|#[^\n]*|\/\*[\s\S]*?\*\/|[()]|\bsample\s+by\b/gi;

/** A query in two: what decides the pool, and the outermost SAMPLE BY with all after it; "" where there is none. */
export function splitSampling(text: string): { pool: string; sampling: string } {
  let depth = 0;
  let at = text.length;
  for (const match of text.matchAll(APART)) {
    const [found] = match;
    if (found === "(") depth++;
    else if (found === ")") depth--;
    else if (depth === 0 && /^sample/i.test(found)) at = match.index;
  }
  return { pool: text.slice(0, at), sampling: text.slice(at) };
}

/** The part of a query that decides the pool, whatever its spaces. */
export function poolText(text: string): string {
  return splitSampling(text).pool.replace(/\s+/g, " ").trim();
}
