import type { Statistics } from "../src/session/statistics-arrays.ts";

export interface Stratum {
  size: number;
  clauses: number[];
  /** class -> [rows with it, instances, sum of squares]; one number stands for all three */
  classes?: Record<number, number | [number, number, number]>;
}

export function statisticsOf(strata: Stratum[], numClauses: number, numClasses = 0): Statistics {
  const clauseOffsets = [0];
  const clauseIds: number[] = [];
  const classOffsets = [0];
  const classIds: number[] = [];
  const counts: number[][] = [[], [], []];
  for (const { clauses, classes } of strata) {
    clauseIds.push(...clauses);
    clauseOffsets.push(clauseIds.length);
    for (const [id, value] of Object.entries(classes ?? {})) {
      classIds.push(Number(id));
      counts.forEach((list, i) => {
        list.push(typeof value === "number" ? value : (value[i] as number));
      });
    }
    classOffsets.push(classIds.length);
  }
  return {
    header: {
      num_rows: strata.reduce((sum, { size }) => sum + size, 0),
      num_strata: strata.length,
      num_classes: numClasses,
      num_clauses: numClauses,
      arrays: [],
      level: "clauses",
      bin_error: 0,
    },
    sizes: Float64Array.from(strata, ({ size }) => size),
    clauseOffsets: Int32Array.from(clauseOffsets),
    clauseIds: Int32Array.from(clauseIds),
    classOffsets: Int32Array.from(classOffsets),
    classIds: Int32Array.from(classIds),
    rowsWithClass: Float64Array.from(counts[0] as number[]),
    instances: Float64Array.from(counts[1] as number[]),
    instancesSquared: Float64Array.from(counts[2] as number[]),
    values: null,
    weights: null,
    unlabeled: null,
    folded: null,
  };
}
