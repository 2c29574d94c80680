import type { Statistics } from "../shared/statistics-arrays.ts";
import type { Combine } from "./weights.ts";

export type NoEffect =
  | { readonly kind: "no rows" } // matches no row of the pool
  | { readonly kind: "covered"; readonly by: number | null; readonly weight: number }; // max: outweighed on all of its rows

/** For each clause why moving it a little changes no row's weight; null where it does. */
export function clausesWithoutEffect(
  { clauseOffsets, clauseIds, header }: Statistics,
  clauseWeights: ArrayLike<number>,
  combine: Combine,
): (NoEffect | null)[] {
  const matched = new Uint8Array(header.num_clauses);
  const decides = new Uint8Array(header.num_clauses);
  const lowest = new Float64Array(header.num_clauses).fill(Number.POSITIVE_INFINITY);
  const rival = new Int32Array(header.num_clauses).fill(-1);
  for (let s = 0; s < clauseOffsets.length - 1; s++) {
    const ids = clauseIds.subarray(clauseOffsets[s], clauseOffsets[s + 1]);
    const winner = heaviest(ids, clauseWeights);
    for (const id of ids) {
      matched[id] = 1;
      if (combine !== "max" || id === winner) decides[id] = 1;
      else if ((clauseWeights[winner] as number) < (lowest[id] as number)) {
        lowest[id] = clauseWeights[winner] as number;
        rival[id] = winner;
      }
    }
  }
  return Array.from(matched, (rows, clause): NoEffect | null => {
    if (rows === 0) return { kind: "no rows" };
    if (decides[clause] === 1) return null;
    return { kind: "covered", by: rival[clause] as number, weight: lowest[clause] as number };
  });
}

/** The clause that decides a stratum under max: the first of the heaviest. */
function heaviest(ids: Int32Array, clauseWeights: ArrayLike<number>): number {
  let winner = ids[0] ?? -1;
  for (const id of ids) if ((clauseWeights[id] as number) > (clauseWeights[winner] as number)) winner = id;
  return winner;
}
