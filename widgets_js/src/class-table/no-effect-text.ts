import type { ClauseInfo } from "../session/protocol.ts";
import { formatWeight } from "../session/text-binding.ts";
import type { NoEffect } from "../statistics/effects.ts";
import { clauseLabel } from "./slider-rows.ts";

/** The note of a row whose weight moves nothing, for the row and for its tooltip; null where there is nothing to say. */
export function noEffectText(
  reason: NoEffect | null | undefined,
  clauses: readonly ClauseInfo[],
  own: number,
): { short: string; long: string } | null {
  if (reason === null || reason === undefined || reason.kind === "neutral") return null;
  if (reason.kind === "no rows") return { short: "no effect", long: "no effect: no sample of the pool matches" };
  if (reason.kind === "settled")
    return { short: "no effect", long: "no effect: other clauses decide the weight of these samples" };
  const rival = clauses[reason.by];
  if (reason.tie) {
    const repeats = reason.by < own && rival?.expression === clauses[own]?.expression;
    return repeats ? { short: "no effect", long: "no effect: repeats a clause above" } : null;
  }
  const label = rival === undefined ? "another clause" : clauseLabel(rival);
  const weight = formatWeight(reason.weight);
  return { short: `no effect ≤ ${weight}`, long: `no effect below ${weight}, the weight of ${label}` };
}
