// What the panels of one widget draw, computed once for all of them and only when somebody looks.
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { Statistics } from "../session/statistics-arrays.ts";
import type { Store } from "../session/store.ts";
import { conditionStatistics, conditionsOf, matchesEveryRow } from "./conditions.ts";
import { clausesWithoutEffect, type NoEffect } from "./effects.ts";
import { drawFactors, type Factors, type Histogram, histogram } from "./histogram.ts";
import { implicitLift, type Lift, type LiftRequest } from "./lift.ts";
import { classValues } from "./parts.ts";
import { clausePatterns } from "./patterns.ts";
import { type DrawPlan, drawPlan } from "./plan.ts";

export interface Charts {
  /** Null before the first answer of the kernel, and for tables. */
  plan: ReadonlySignal<DrawPlan | null>;
  histogram: ReadonlySignal<Histogram | null>;
  /** One bar, of the samples without a label; null where there are none, and where instances are counted. */
  background: ReadonlySignal<Histogram | null>;
  /** Samples that match each condition which is no class, in clause order; without clauses one bar, of every sample. */
  conditions: ReadonlySignal<Histogram | null>;
  liftRequest: ReadonlySignal<LiftRequest | null>;
  lift: ReadonlySignal<Lift | null>;
  /** In clause order: why moving a clause changes nothing, or null. */
  noEffect: ReadonlySignal<(NoEffect | null)[]>;
  /** Classes that a clause names. */
  namedClasses: ReadonlySignal<ReadonlySet<number>>;
  nothingDrawn: ReadonlySignal<boolean>;
  /** Without class labels the bars are the clauses' own. */
  byClause: ReadonlySignal<boolean>;
}

const AT_ONCE = 16; // classes of which a row may have several: their exact bands take a millisecond each at worst
const REST_MS = 120;

const known = new WeakMap<Store, Charts>();

export function chartsOf(store: Store): Charts {
  const found = known.get(store);
  if (found !== undefined) return found;
  const made = makeCharts(store);
  known.set(store, made);
  return made;
}

function makeCharts(store: Store): Charts {
  const strata = computed(() => (store.statistics.value === null ? null : clausePatterns(store.statistics.value)));
  const plan = computed(() => currentPlan(store, strata.value));
  const byClause = computed(() => store.statistics.value?.header.num_classes === 0);
  const factors = computed((): Factors | null => (plan.value === null ? null : drawFactors(plan.value)));
  const settled = afterRest(plan);
  const bars = computed(() => {
    if (plan.value === null || factors.value === null) return null;
    const shown = byClause.value ? { ...plan.value, statistics: clauseCounts(plan.value.statistics) } : plan.value;
    const few = byClause.value || classValues(shown.statistics).size <= AT_ONCE;
    return histogram(shown, store.unit.value, factors.value, few || settled());
  });
  const namedClasses = computed(() => classesNamed(store));
  const ofConditions = computed(() => {
    const clauses = store.query.value?.clauses ?? [];
    const wanted = conditionsOf(clauses, strata.value?.header.num_classes ?? 0);
    return strata.value === null || clauses.length === 0 ? null : conditionStatistics(strata.value, clauses, wanted);
  });
  const liftRequest = computed((): LiftRequest | null => {
    if (plan.value === null || factors.value === null || bars.value === null || byClause.value) return null;
    return {
      statistics: plan.value.statistics,
      histogram: bars.value,
      meanDraws: factors.value.mean,
      draws: plan.value.draws,
      named: clausesNaming(store),
      namedClasses: namedClasses.value,
    };
  });
  return {
    plan,
    histogram: bars,
    background: computed(() => {
      if (plan.value === null || factors.value === null || byClause.value || store.unit.value !== "samples")
        return null;
      const { unlabeled } = plan.value.statistics;
      if (unlabeled === null) return null;
      return histogram(
        { ...plan.value, statistics: ofOneClass(plan.value.statistics, unlabeled) },
        "samples",
        factors.value,
      );
    }),
    conditions: computed(() => {
      if (plan.value === null || factors.value === null) return null;
      if (ofConditions.value === null) return everySample(plan.value);
      return histogram({ ...plan.value, statistics: ofConditions.value }, "samples", factors.value);
    }),
    liftRequest,
    lift: computed(() => (liftRequest.value === null ? null : implicitLift(liftRequest.value))),
    noEffect: computed(() => {
      const statistics = strata.value;
      if (statistics === null || statistics.header.num_clauses !== store.weights.value.length) return [];
      return clausesWithoutEffect(statistics, store.weights.value, store.combine.value, store.query.value?.cap ?? null);
    }),
    namedClasses,
    byClause,
    nothingDrawn: computed(
      () => plan.value !== null && plan.value.statistics.header.num_rows > 0 && plan.value.total === 0,
    ),
  };
}

/** Tells whether the plan has rested, and has whoever asked told again once it has: dear things wait for a slider. */
function afterRest(plan: ReadonlySignal<DrawPlan | null>): () => boolean {
  const rested = signal<DrawPlan | null>(null);
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    const now = plan.value;
    if (rested.value === now) return true;
    clearTimeout(timer);
    timer = setTimeout(() => {
      rested.value = now;
    }, REST_MS);
    return false;
  };
}

function currentPlan(store: Store, statistics: Statistics | null): DrawPlan | null {
  const query = store.query.value;
  if (statistics === null || query === null || query.kind === "table") return null;
  const told = store.weights.value;
  const fits = told.length === statistics.header.num_clauses;
  const clauseWeights = fits ? told : new Float64Array(statistics.header.num_clauses).fill(1);
  return drawPlan({
    statistics,
    clauseWeights,
    combine: store.combine.value,
    cap: query.cap,
    draws: query.draws,
    mode: query.has_sampling ? store.mode.value : "once", // a plain pass shows every row once
  });
}

function everySample(plan: DrawPlan): Histogram {
  const drawn = Float64Array.of(plan.draws);
  return { raw: Float64Array.of(plan.statistics.header.num_rows), expected: drawn, low: drawn, high: drawn };
}

/** One class, of which each stratum has some rows. */
function ofOneClass(statistics: Statistics, rows: Float64Array): Statistics {
  return {
    ...statistics,
    header: { ...statistics.header, num_classes: 1 },
    classOffsets: Int32Array.from({ length: rows.length + 1 }, (_, s) => s),
    classIds: new Int32Array(rows.length),
    rowsWithClass: rows,
    instances: rows,
    instancesSquared: rows,
    values: null,
  };
}

/** Clauses in the place of classes: the rows that each matches. */
function clauseCounts(statistics: Statistics): Statistics {
  const { clauseOffsets, clauseIds, sizes, header } = statistics;
  const rows = new Float64Array(clauseIds.length);
  for (const [s, size] of sizes.entries()) rows.fill(size, clauseOffsets[s], clauseOffsets[s + 1]);
  return {
    ...statistics,
    header: { ...header, num_classes: header.num_clauses },
    classOffsets: clauseOffsets,
    classIds: clauseIds,
    rowsWithClass: rows,
    instances: rows,
    instancesSquared: rows,
    values: null,
  };
}

function clausesNaming(store: Store): ReadonlySet<number> {
  const clauses = store.query.value?.clauses ?? [];
  return new Set([...clauses.keys()].filter((i) => !matchesEveryRow(clauses[i]?.expression ?? "")));
}

function classesNamed(store: Store): ReadonlySet<number> {
  const clauses = store.query.value?.clauses ?? [];
  return new Set(clauses.flatMap((clause) => (clause.class_index === null ? [] : [clause.class_index])));
}
