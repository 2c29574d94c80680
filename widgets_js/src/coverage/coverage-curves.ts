// Everything the coverage chart tells of one plan.
import type { Mode } from "../session/protocol.ts";
import { type Coverage, certificate, coverage, epochsToSee, rowsOfShare } from "../statistics/coverage.ts";
import { ofDistinctRows } from "../statistics/distinct-rows.ts";
import { type DrawPlan, inMode } from "../statistics/plan.ts";

export const NUM_EPOCHS = 20;
export const MODES: readonly Mode[] = ["iid", "deck", "once"];
export const SHARES = [0.9, 0.95, 0.99, 1] as const;

export interface CoverageCurves {
  readonly mode: Mode;
  readonly rows: number; // of the pool
  readonly drawable: number;
  readonly modes: readonly Mode[]; // those the rows can be drawn in: where they repeat, not dealt, and once only as a pass
  readonly curves: Readonly<Partial<Record<Mode, Coverage>>>;
  readonly plans: Readonly<Record<Mode, DrawPlan>>;
}

/** `asked` = draws an epoch that the query asks for, whatever the mode can give. */
export function coverageCurves(positions: DrawPlan, asked: number): CoverageCurves {
  const plan = ofDistinctRows(positions);
  const plans = {
    iid: inMode(plan, "iid", asked),
    deck: inMode(plan, "deck", asked),
    once: inMode(plan, "once", asked),
  };
  const modes = plan.times === null ? MODES : MODES.filter((mode) => mode === "iid" || mode === plan.mode);
  return {
    mode: plan.mode,
    rows: plan.statistics.header.num_rows,
    drawable: plan.drawable,
    modes,
    curves: Object.fromEntries(modes.map((mode) => [mode, coverage(plans[mode], NUM_EPOCHS)])),
    plans,
  };
}

export interface CoverageFigures {
  readonly seen: number; // share after epoch 1, in the plan's mode
  readonly deck: number | null; // epoch by which a deal has shown all; null: never
  readonly iid: readonly [number | null, number | null]; // the same for independent draws, with 50 and 95 %
}

/** `basis` = rows that count as all. */
export function coverageFigures({ curves, modes, plans, mode }: CoverageCurves, basis: number): CoverageFigures {
  const never = basis > plans.iid.drawable || !modes.includes("deck");
  return {
    seen: (curves[mode]?.unique[0] ?? 0) / basis,
    deck: never ? null : certificate(plans.deck),
    iid: [epochsToSee(plans.iid, basis, 0.5), epochsToSee(plans.iid, basis, 0.95)],
  };
}

export interface CoverRow {
  readonly share: number;
  readonly deck: number | null;
  readonly iid50: number | null;
  readonly iid95: number | null;
}

/** Epochs until a share of `basis` rows has been seen. */
export function coverTable({ plans, modes }: CoverageCurves, basis: number): CoverRow[] {
  return SHARES.map((share) => {
    const rows = rowsOfShare(share, basis);
    return {
      share,
      deck: modes.includes("deck") ? epochsToSee(plans.deck, rows, 1) : null,
      iid50: epochsToSee(plans.iid, rows, 0.5),
      iid95: epochsToSee(plans.iid, rows, 0.95),
    };
  });
}
