// Which sliders there are. A class keeps its row's key when its clause enters the text, so that a drag goes on.
import type { ClauseInfo } from "../session/protocol.ts";
import type { Store } from "../session/store.ts";
import { isMovable } from "../session/text-binding.ts";

export interface SliderRow {
  readonly key: string;
  readonly label: string;
  readonly expression: string;
  readonly classIndex: number | null;
  readonly clause: number | null; // null: no clause yet
  readonly literal: boolean; // its weight is a number in the text
}

const EVERY_ROW = /^\s*true\s*$/i;

export function sliderRows(store: Store): SliderRow[] {
  const clauses = store.clauses.value;
  if (clauses.length > 0) return clauseRows(clauses);
  return store.query.value?.has_sampling ? [] : ghostRows(store);
}

function clauseRows(clauses: readonly ClauseInfo[]): SliderRow[] {
  const used = new Map<string, number>();
  return clauses.map((clause, i) => {
    const stem = keyOf(clause);
    const times = used.get(stem) ?? 0;
    used.set(stem, times + 1);
    return {
      key: times === 0 ? stem : `${stem}#${times}`,
      label: clauseLabel(clause),
      expression: clause.expression,
      classIndex: clause.class_index,
      clause: i,
      literal: isMovable(clause),
    };
  });
}

/** What a row calls its clause. */
export function clauseLabel(clause: ClauseInfo): string {
  return EVERY_ROW.test(clause.expression) ? "everything else" : clause.label;
}

function keyOf(clause: ClauseInfo): string {
  if (clause.class_index !== null) return `class ${clause.class_index}`;
  return EVERY_ROW.test(clause.expression) ? "every row" : `clause ${clause.expression}`;
}

function ghostRows(store: Store): SliderRow[] {
  const rare = store.query.value?.rare_classes ?? [];
  const ghosts = rare.map((classIndex) => ({
    key: `class ${classIndex}`,
    label: store.classNames.value[classIndex] ?? `class ${classIndex}`,
    expression: "",
    classIndex,
    clause: null,
    literal: true,
  }));
  const label = rare.length > 0 ? "everything else" : "every row";
  return [...ghosts, { key: "every row", label, expression: "True", classIndex: null, clause: null, literal: true }];
}
