import type { Statistics } from "../session/statistics-arrays.ts";
import type { Combine } from "./weights.ts";

/** Why a clause could be left out and no row's weight would change. */
export type NoEffect =
  | { readonly kind: "no rows" } // it matches no row of the pool
  | { readonly kind: "neutral" } // adds 0, multiplies by 1, or is 0 where nothing else matches
  | { readonly kind: "settled" } // on all of its rows the others reach the cap, or make a product 0
  | { readonly kind: "covered"; readonly by: number; readonly weight: number; readonly tie: boolean }; // max: others weigh as much

/** In clause order; null where the clause does change a weight. */
export function clausesWithoutEffect(
  statistics: Statistics,
  clauseWeights: ArrayLike<number>,
  combine: Combine,
  cap: number | null = null,
): (NoEffect | null)[] {
  const matched = new Uint8Array(statistics.header.num_clauses);
  for (const id of statistics.clauseIds) matched[id] = 1;
  if (combine === "max") return coveredClauses(statistics, clauseWeights, matched);
  const neutral = combine === "sum" ? 0 : 1;
  const simple = combine === "sum" && cap === null;
  const changes = simple ? null : changesWeights(statistics, clauseWeights, combine, cap ?? Number.POSITIVE_INFINITY);
  return Array.from(matched, (rows, clause) => {
    if (rows === 0) return { kind: "no rows" };
    if (clauseWeights[clause] === neutral) return { kind: "neutral" };
    return changes?.[clause] === 0 ? { kind: "settled" } : null;
  });
}

/** 1 for each clause without which some weight would be another. */
function changesWeights(
  { clauseOffsets, clauseIds, header }: Statistics,
  clauseWeights: ArrayLike<number>,
  combine: "sum" | "product",
  cap: number,
): Uint8Array {
  const changes = new Uint8Array(header.num_clauses);
  const combined = (ids: Int32Array, without: number): number => {
    let weight = combine === "sum" ? 0 : 1;
    for (const id of ids) {
      if (id === without) continue;
      weight = combine === "sum" ? weight + (clauseWeights[id] as number) : weight * (clauseWeights[id] as number);
    }
    return Math.min(weight, cap);
  };
  for (let s = 0; s < clauseOffsets.length - 1; s++) {
    const ids = clauseIds.subarray(clauseOffsets[s], clauseOffsets[s + 1]);
    const whole = combined(ids, -1);
    for (const id of ids) if (changes[id] === 0 && combined(ids, id) !== whole) changes[id] = 1;
  }
  return changes;
}

/** Under max a clause without effect is outweighed, or equalled, on each of its strata; told by the least of those weights. */
function coveredClauses(
  { clauseOffsets, clauseIds }: Statistics,
  clauseWeights: ArrayLike<number>,
  matched: Uint8Array,
): (NoEffect | null)[] {
  const decides = new Uint8Array(matched.length);
  const rival = new Int32Array(matched.length).fill(-1);
  const weights = Float64Array.from(clauseWeights);
  const weightOf = (clause: number): number => (clause < 0 ? 0 : (weights[clause] as number));
  for (let s = 0; s < clauseOffsets.length - 1; s++) {
    const start = clauseOffsets[s] as number;
    const stop = clauseOffsets[s + 1] as number;
    const first = heaviest(clauseIds, weights, start, stop, -1);
    const second = heaviest(clauseIds, weights, start, stop, first);
    for (let j = start; j < stop; j++) {
      const id = clauseIds[j] as number;
      const other = id === first ? second : first;
      if (weightOf(id) > weightOf(other)) decides[id] = 1;
      else if (rival[id] === -1 || weightOf(other) < weightOf(rival[id] as number)) rival[id] = other;
    }
  }
  return Array.from(matched, (rows, clause): NoEffect | null => {
    if (rows === 0) return { kind: "no rows" };
    if (decides[clause] === 1) return null;
    const by = rival[clause] as number;
    if (by < 0) return { kind: "neutral" };
    return { kind: "covered", by, weight: weightOf(by), tie: weightOf(by) === weightOf(clause) };
  });
}

/** The first heaviest clause of a run, one left out; -1: there is none. */
function heaviest(ids: Int32Array, weights: Float64Array, start: number, stop: number, without: number): number {
  let best = -1;
  let most = -1;
  for (let j = start; j < stop; j++) {
    const id = ids[j] as number;
    if (id !== without && (weights[id] as number) > most) {
      best = id;
      most = weights[id] as number;
    }
  }
  return best;
}
