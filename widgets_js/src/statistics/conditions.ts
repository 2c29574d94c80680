// Bars of the clauses that name no class: the rows that an expression matches, and for `True` those no other clause does.
import type { ClauseInfo } from "../session/protocol.ts";
import type { Statistics } from "../session/statistics-arrays.ts";

const EVERY_ROW = /^\s*true\s*$/i;

export function matchesEveryRow(expression: string): boolean {
  return EVERY_ROW.test(expression);
}

/** Clauses with a row of their own: those that name no class, and those that name one a second time. */
export function conditionsOf(clauses: readonly ClauseInfo[], numClasses: number): number[] {
  const own = clausesOfClasses(clauses, numClasses);
  return [...clauses.keys()].filter((i) => own.get(clauses[i]?.class_index ?? -1) !== i);
}

/** The clause of each class that has one: its first. */
export function clausesOfClasses(clauses: readonly ClauseInfo[], numClasses: number): Map<number, number> {
  const own = new Map<number, number>();
  for (const [i, { class_index }] of clauses.entries()) {
    if (class_index !== null && class_index < numClasses && !own.has(class_index)) own.set(class_index, i);
  }
  return own;
}

/** The strata with conditions in the place of classes: class j is the j-th of `wanted`, a list of clauses. */
export function conditionStatistics(
  statistics: Statistics,
  clauses: readonly ClauseInfo[],
  wanted: readonly number[],
): Statistics {
  const { clauseOffsets, clauseIds, sizes, header } = statistics;
  const placeOf = new Map(wanted.map((clause, j) => [clause, j]));
  const every = new Set([...clauses.keys()].filter((i) => matchesEveryRow(clauses[i]?.expression ?? "")));
  const offsets = new Int32Array(sizes.length + 1);
  const ids: number[] = [];
  const rows: number[] = [];
  for (let s = 0; s < sizes.length; s++) {
    const matched = clauseIds.subarray(clauseOffsets[s], clauseOffsets[s + 1]);
    const others = matched.some((id) => !every.has(id));
    for (const id of matched) {
      const place = placeOf.get(id);
      if (place === undefined || (others && every.has(id))) continue;
      ids.push(place);
      rows.push(sizes[s] as number);
    }
    offsets[s + 1] = ids.length;
  }
  const counts = Float64Array.from(rows);
  return {
    ...statistics,
    header: { ...header, num_classes: wanted.length },
    classOffsets: offsets,
    classIds: Int32Array.from(ids),
    rowsWithClass: counts,
    instances: counts,
    instancesSquared: counts,
    values: null,
  };
}
