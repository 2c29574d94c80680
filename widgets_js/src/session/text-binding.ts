// A slider moves one number literal of the query text and nothing else.
import type { ClauseInfo } from "./protocol.ts";

/** Three significant digits, without exponent or trailing zeros: 12.3456 -> "12.3". */
export function formatWeight(value: number): string {
  if (!(value > 0)) return "0";
  const rounded = Number(value.toPrecision(3));
  return rounded >= 1e-6 && rounded < 1e15 ? trimDecimal(rounded) : String(rounded);
}

function trimDecimal(value: number): string {
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(value)));
  const text = value.toFixed(Math.min(decimals, 20));
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

export interface BoundText {
  text: string;
  clauses: ClauseInfo[];
  change: { from: number; to: number; insert: string } | null; // in the old text; null: nothing to rewrite
  moved: boolean; // whether the weight is another one now, in the text or in its table
}

/** Whether its weight is a value of a table beside the text. */
export function inTable({ table }: ClauseInfo): boolean {
  return table !== undefined && table !== null;
}

/** Whether a slider can move it. */
export function isMovable(clause: ClauseInfo): boolean {
  return clause.from !== null || inTable(clause);
}

/** A weight that is not rounded: undo, Python and locks bring back exactly what was. */
function exactWeight(value: number): string {
  const rounded = formatWeight(value);
  return Number(rounded) === value ? rounded : String(value);
}

/** The literal of clause `index` becomes `value`; spans after it move along. Clauses without a literal keep their weight. */
export function setWeight(text: string, clauses: readonly ClauseInfo[], index: number, value: number): BoundText {
  return writeWeight(text, clauses, index, formatWeight(value));
}

function writeWeight(text: string, clauses: readonly ClauseInfo[], index: number, insert: string): BoundText {
  const clause = clauses[index];
  if (clause !== undefined && inTable(clause)) {
    const weight = Number(insert);
    return {
      text,
      clauses: clauses.map((one, i) => (i === index ? { ...one, weight } : one)),
      change: null,
      moved: true,
    };
  }
  if (clause === undefined || clause.from === null || clause.to === null) {
    return { text, clauses: [...clauses], change: null, moved: false };
  }
  const { from, to } = clause;
  const shift = insert.length - (to - from);
  return {
    text: text.slice(0, from) + insert + text.slice(to),
    clauses: clauses.map((other, i) => {
      if (i === index) return { ...other, weight: Number(insert), to: to + shift };
      return other.from !== null && other.to !== null && other.from >= to
        ? { ...other, from: other.from + shift, to: other.to + shift }
        : other;
    }),
    change: { from, to, insert },
    moved: true,
  };
}

/** Several weights at once, as undo and a change made in Python need it. */
export function setWeights(text: string, clauses: readonly ClauseInfo[], weights: ArrayLike<number>): BoundText {
  const wanted = (clause: ClauseInfo, i: number): number => weights[i] ?? clause.weight;
  const shown = clauses.map((clause, i) =>
    inTable(clause) && wanted(clause, i) !== clause.weight ? { ...clause, weight: wanted(clause, i) } : clause,
  );
  let bound: BoundText = { text, clauses: shown, change: null, moved: shown.some((one, i) => one !== clauses[i]) };
  for (let i = 0; i < clauses.length; i++) {
    const weight = weights[i];
    if (weight !== undefined && weight !== bound.clauses[i]?.weight) {
      const next = writeWeight(bound.text, bound.clauses, i, exactWeight(weight));
      bound = { ...next, moved: bound.moved || next.moved };
    }
  }
  return bound;
}
