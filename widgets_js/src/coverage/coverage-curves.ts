// Everything the coverage strip tells of one plan.
import type { Mode } from "../session/protocol.ts";
import {
  type Coverage,
  certificate,
  coverageAfter,
  epochsToSee,
  lawIfDrawn,
  rowsOfShare,
} from "../statistics/coverage.ts";
import { ofDistinctRows } from "../statistics/distinct-rows.ts";
import type { Law } from "../statistics/laws.ts";
import { type DrawPlan, inMode } from "../statistics/plan.ts";

export const MODES: readonly Mode[] = ["iid", "deck", "once"];
export const SHARES = [0.9, 0.95, 0.99, 1] as const;
export const HALF = 0.5;
export const MOST = 0.95;

const SHORTEST = 4; // epochs a chart shows at least
const OF_A_PASS = 5;
const ROOM = 1.12; // right of the last mark
const MOST_POINTS = 48;

export interface CoverageCurves {
  readonly mode: Mode;
  readonly rows: number; // of the pool
  readonly drawable: number;
  readonly modes: readonly Mode[]; // those the rows can be drawn in: where they repeat, not as a deck, and once only as a pass
  readonly plans: Readonly<Record<Mode, DrawPlan>>;
  readonly laws: Readonly<Partial<Record<Mode, Law | null>>>;
  readonly isPass: boolean; // every row that can be drawn comes once an epoch, for certain
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
    plans,
    laws: Object.fromEntries(modes.map((mode) => [mode, lawIfDrawn(plans[mode])])),
    isPass: plan.mode === "once" && (plan.times !== null || plan.draws >= plan.drawable),
  };
}

/** Rows that count as all. */
export function basisOf({ drawable, rows }: CoverageCurves, ofDrawable: boolean): number {
  return ofDrawable && drawable > 0 && drawable < rows ? drawable : rows;
}

export interface CoverageFigures {
  readonly seen: number; // share after epoch 1, in the plan's mode
  readonly deck: number | null; // epoch by which a deck has surely shown all; null: never
  readonly half: number | null; // the same in half of the runs of the mode, where chance decides
  readonly most: number | null; // and in 95 % of them
}

/** `basis` = rows that count as all. */
export function coverageFigures(curves: CoverageCurves, basis: number): CoverageFigures {
  const { modes, plans, laws, mode } = curves;
  const never = basis > plans.iid.drawable || !modes.includes("deck");
  const law = laws[mode] ?? null;
  const chance = byChance(curves);
  const until = (quantile: number): number | null => epochsToSee(plans[chance], basis, quantile, laws[chance] ?? null);
  return {
    seen: law === null ? 0 : (plans[mode].drawable - law.unseen(1).mean) / basis,
    deck: never ? null : certificate(plans.deck),
    half: until(HALF),
    most: until(MOST),
  };
}

/** The mode whose runs differ: the one chosen, beside a deck that is chosen the independent draws. */
export function byChance({ mode }: CoverageCurves): "iid" | "once" {
  return mode === "once" ? "once" : "iid";
}

export interface Curve {
  readonly mode: Mode;
  readonly epochs: readonly number[];
  readonly coverage: Coverage;
}

/** The chosen mode's curve, and what it is compared with: a deck, or where that is chosen independent draws. */
export function shownCurves(curves: CoverageCurves, horizon: number): Curve[] {
  const beside = curves.mode === "deck" ? "iid" : "deck";
  const shown = curves.isPass || !curves.modes.includes(beside) ? [curves.mode] : [curves.mode, beside as Mode];
  return shown.map((mode) => {
    const epochs = pointsUpTo(horizon, mode === "deck" ? certificate(curves.plans.deck) : null);
    return { mode, epochs, coverage: coverageAfter(curves.plans[mode], epochs, curves.laws[mode] ?? null) };
  });
}

/** The last epoch of the chart: past the one by which nearly all runs have seen all that can be drawn. */
export function horizonOf(curves: CoverageCurves): number {
  if (curves.isPass) return OF_A_PASS;
  const chance = byChance(curves);
  const most = epochsToSee(curves.plans[chance], curves.drawable, MOST, curves.laws[chance] ?? null);
  return Math.max(SHORTEST, Math.ceil(ROOM * (most ?? SHORTEST)));
}

/** Each epoch where there are few, else fewer the later; `knee` is a corner of the curve. */
export function pointsUpTo(horizon: number, knee: number | null = null): number[] {
  const few = horizon <= MOST_POINTS;
  const points = new Set<number>(knee !== null && knee <= horizon ? [knee] : []);
  const count = few ? horizon : MOST_POINTS;
  for (let i = 0; i < count; i++) points.add(few ? i + 1 : Math.round(horizon ** (i / (count - 1))));
  return [...points].sort((a, b) => a - b);
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
      iid50: epochsToSee(plans.iid, rows, HALF),
      iid95: epochsToSee(plans.iid, rows, MOST),
    };
  });
}
