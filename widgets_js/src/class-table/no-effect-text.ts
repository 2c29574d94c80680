import type { ClauseInfo } from "../session/protocol.ts";
import { formatWeight } from "../session/text-binding.ts";
import type { NoEffect } from "../statistics/effects.ts";
import { clauseLabel } from "./slider-rows.ts";

/** The note under a slider that moves nothing; null where there is nothing to say. */
export function noEffectText(
  reason: NoEffect | null | undefined,
  clauses: readonly ClauseInfo[],
  own: number,
): string | null {
  if (reason === null || reason === undefined || reason.kind === "neutral") return null;
  if (reason.kind === "no rows") return "no effect: no sample of the pool matches";
  if (reason.kind === "settled") return "no effect: other clauses decide the weight of these samples";
  const rival = clauses[reason.by];
  if (reason.tie) {
    const repeats = reason.by < own && rival?.expression === clauses[own]?.expression;
    return repeats ? "no effect: repeats a clause above" : null;
  }
  const label = rival === undefined ? "another clause" : clauseLabel(rival);
  return `no effect below ${formatWeight(reason.weight)}, the weight of ${label}`;
}
