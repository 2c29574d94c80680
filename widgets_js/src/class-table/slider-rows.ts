// Which rows the table has. A class keeps its row's key when its clause enters the text, so that a drag goes on.
import type { ClauseInfo } from "../session/protocol.ts";
import { isMovable } from "../session/text-binding.ts";
import { clausesOfClasses, conditionsOf, matchesEveryRow } from "../statistics/conditions.ts";

export interface SliderRow {
  readonly key: string;
  readonly kind: "condition" | "class" | "unlabeled";
  readonly label: string;
  readonly expression: string; // "": a class without a clause
  readonly classIndex: number | null;
  readonly clause: number | null; // null: no clause yet
  readonly literal: boolean; // its weight is a number in the text, or can become one
  readonly bar: number; // its place in the figures
}

export interface RowsRequest {
  readonly clauses: readonly ClauseInfo[];
  readonly classes: readonly number[];
  readonly names: readonly string[];
  readonly sampling: boolean;
  readonly unlabeled: boolean;
}

/** Conditions that are no class in the order of the text, then the classes by index, then samples without a label. */
export function tableRows({ clauses, classes, names, sampling, unlabeled }: RowsRequest): SliderRow[] {
  const own = clausesOfClasses(clauses, names.length);
  const wanted = conditionsOf(clauses, names.length);
  const conditions = clauses.length === 0 ? [everySample(names.length, !sampling)] : [];
  const keys = new Map<string, number>();
  for (const [j, i] of wanted.entries()) {
    const clause = clauses[i] as ClauseInfo;
    const stem = matchesEveryRow(clause.expression) ? "every row" : `clause ${clause.expression}`;
    const times = keys.get(stem) ?? 0;
    keys.set(stem, times + 1);
    conditions.push({
      key: times === 0 ? stem : `${stem}#${times}`,
      kind: "condition",
      label: clauseLabel(clause),
      expression: clause.expression,
      classIndex: null,
      clause: i,
      literal: isMovable(clause),
      bar: names.length + j,
    });
  }
  const canWeigh = clauses.length > 0 || !sampling;
  const ofClasses = classes.map((c): SliderRow => {
    const i = own.get(c) ?? null;
    const clause = i === null ? undefined : clauses[i];
    return {
      key: `class ${c}`,
      kind: "class",
      label: names[c] ?? `class ${c}`,
      expression: clause?.expression ?? "",
      classIndex: c,
      clause: i,
      literal: clause === undefined ? canWeigh : isMovable(clause),
      bar: c,
    };
  });
  const rest = unlabeled ? [noLabel(names.length + (clauses.length === 0 ? 1 : wanted.length))] : [];
  return [...conditions, ...ofClasses, ...rest];
}

function everySample(bar: number, literal: boolean): SliderRow {
  const label = "every sample";
  return { key: "every row", kind: "condition", label, expression: "", classIndex: null, clause: null, literal, bar };
}

function noLabel(bar: number): SliderRow {
  const rest = { label: "no label", expression: "", classIndex: null, clause: null, literal: false };
  return { key: "no label", kind: "unlabeled", ...rest, bar };
}

/** What a row calls its clause. */
export function clauseLabel(clause: ClauseInfo): string {
  return matchesEveryRow(clause.expression) ? "everything else" : clause.label;
}
