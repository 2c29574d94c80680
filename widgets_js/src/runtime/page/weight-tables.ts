// Tables of class weights that a query of a page names: what a preset over many classes writes as one term.
import type { ClauseInfo } from "../../session/protocol.ts";
import { type Clause, needsKernel, type Sampling } from "./label-query.ts";

/** Weights by class index, in class order. */
export type WeightTable = ReadonlyMap<number, number>;
export type WeightTables = ReadonlyMap<string, WeightTable>;

/** A term of the weights, or one class of a table: what a slider moves. */
export interface Spread {
  readonly clause: Clause;
  readonly classIndex: number | null; // of a table
  readonly weight: number;
}

/** The clauses as sliders have them, in order: a table is one for each of its classes. */
export function spread({ clauses }: Pick<Sampling, "clauses">, tables: WeightTables): Spread[] {
  return clauses.flatMap((clause): Spread[] => {
    if (clause.table === undefined) return [{ clause, classIndex: null, weight: clause.weight }];
    const table = tables.get(clause.table.name);
    if (table === undefined) throw needsKernel(clause, `This page has no weights named $${clause.table.name}.`);
    return [...table].map(([classIndex, weight]) => ({ clause, classIndex, weight }));
  });
}

/** The tables that clauses are of, with the weights they have. */
export function tablesOf(clauses: readonly ClauseInfo[]): Map<string, Map<number, number>> {
  const found = new Map<string, Map<number, number>>();
  for (const { table, class_index, weight } of clauses) {
    if (table == null || class_index === null) continue;
    const one = found.get(table) ?? new Map<number, number>();
    found.set(table, one.set(class_index, weight));
  }
  return found;
}

/** Clauses with the weights that their tables have now. */
export function withTables(clauses: readonly ClauseInfo[], tables: WeightTables): ClauseInfo[] {
  return clauses.map((clause) => {
    const { table, class_index } = clause;
    if (table == null || class_index === null) return clause;
    return { ...clause, weight: tables.get(table)?.get(class_index) ?? clause.weight };
  });
}

/** A name for a table: that of one with the same weights, else a free one. */
export function nameFor(stem: string, table: WeightTable, tables: WeightTables): string {
  const same = (other: WeightTable): boolean =>
    other.size === table.size && [...table].every(([index, weight]) => other.get(index) === weight);
  for (let number = 1; ; number++) {
    const name = number === 1 ? stem : `${stem}_${number}`;
    const known = tables.get(name);
    if (known === undefined || same(known)) return name;
  }
}
