// What the strip says beside its charts: one headline, one sentence. Parts in bold are figures.
import type { Mode } from "../session/protocol.ts";
import { countText, shareText } from "../ui/number-text.ts";
import type { Part, Told } from "../ui/strip-parts.tsx";
import type { CoverageCurves, CoverageFigures } from "./coverage-curves.ts";

const MUST_WEIGH = "Every weight is 0.";

/** `basis` = rows that count as all; `weighted` = the query has SAMPLE BY. */
export function epochsText(curves: CoverageCurves, figures: CoverageFigures, basis: number, weighted: boolean): Told {
  if (curves.drawable === 0) return { headline: "Nothing can be drawn.", sentence: [MUST_WEIGH] };
  const headline = `One epoch sees ${shareText(figures.seen)}.`;
  if (!weighted) return { headline, sentence: ["Without weights, an epoch draws each sample once."] };
  if (basis > curves.drawable) return { headline, sentence: unreachable(curves, basis) };
  if (curves.isPass)
    return {
      headline,
      sentence: ["An epoch as long as the pool, no sample twice: weights only change the order."],
    };
  return { headline, sentence: untilAllSeen(curves, figures, basis) };
}

function unreachable({ drawable }: CoverageCurves, basis: number): Part[] {
  const left = basis - drawable;
  const verb = left === 1 ? "has" : "have";
  return [
    "All seen: ",
    { figure: "never", testid: "iid-all", value: null },
    `. ${countText(left)} of ${countText(basis)} samples ${verb} weight 0.`,
  ];
}

function untilAllSeen(curves: CoverageCurves, { half, most, deck }: CoverageFigures, basis: number): Part[] {
  const all = basis < curves.rows ? `All ${countText(basis)} seen by ` : "All seen by ";
  const chance: Part[] = [
    { figure: epochText(half), testid: "iid-all", value: half },
    " (half of runs), ",
    { figure: epochText(most), testid: "iid-most", value: most },
    " (95%)",
  ];
  const dealt: Part = { figure: epochText(deck), testid: "deck-all", value: deck };
  if (!curves.modes.includes("deck")) return [all, "epoch ", ...chance, "."];
  if (curves.mode === "deck") return [all, "epoch ", dealt, ", guaranteed; iid: ", ...chance, "."];
  return [all, "epoch ", ...chance, "; deck: ", dealt, ", guaranteed."];
}

function epochText(epoch: number | null): string {
  return epoch === null ? "never" : countText(epoch);
}

/** `shares` = share of the samples drawn at most 0 and at most 1 times. */
export function timesText(shares: { readonly atMost0: number; readonly atMost1: number }, epochs: number): Told {
  const { atMost0, atMost1 } = shares;
  const when = epochs === 1 ? "in one epoch" : `in ${countText(epochs)} epochs`;
  const once = Math.max(0, atMost1 - atMost0);
  const more = Math.max(0, 1 - atMost1);
  if (atMost0 <= 0 && once >= 1 - 1e-12)
    return { headline: "Each drawn once.", sentence: [`No sample twice ${when}.`] };
  return {
    headline: `${shareText(atMost0)} never seen`,
    sentence: [`${when}; `, { figure: shareText(once) }, " once, ", { figure: shareText(more) }, " twice or more."],
  };
}

/** What is kept in a notebook where no statistics are at hand. */
export function keptText(seen: number, mode: Mode): Told {
  return { headline: `One epoch sees ${shareText(seen)}.`, sentence: [`${mode}, as saved in the notebook.`] };
}
