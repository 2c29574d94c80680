import { computed, type ReadonlySignal } from "@preact/signals";
import type { Snapshot } from "../session/protocol.ts";
import type { Store } from "../session/store.ts";
import { chartsOf } from "../statistics/charts.ts";
import type { Histogram } from "../statistics/histogram.ts";

/** What the bars show, and where from: the statistics, or the figures kept in the notebook. */
export interface BarSource {
  readonly histogram: Histogram;
  readonly names: readonly string[];
  readonly classes: readonly number[];
  readonly classOf: (bar: number) => number | null; // color and filter; null: a clause that names no class
  readonly draws: number;
  readonly rows: number;
  readonly kept: boolean; // from the snapshot: nothing moves
}

const NO_LABEL = "no label";

export function barSource(store: Store): ReadonlySignal<BarSource | null> {
  const charts = chartsOf(store);
  const hasBackground = computed(() => charts.background.value !== null);
  const names = computed(() => {
    if (charts.byClause.value) return clauseNames(store);
    return hasBackground.value ? [...store.classNames.value, NO_LABEL] : store.classNames.value;
  });
  return computed(() => {
    const ofClasses = charts.histogram.value;
    const plan = charts.plan.value;
    if (ofClasses === null || plan === null) return fromSnapshot(store.snapshot.value);
    const background = charts.background.value;
    const numClasses = ofClasses.raw.length;
    const histogram = background === null ? ofClasses : joined(ofClasses, background);
    const byClause = charts.byClause.value;
    const clauses = store.query.value?.clauses ?? [];
    return {
      histogram,
      names: names.value,
      classes: Array.from(histogram.raw.keys()),
      classOf: byClause ? (bar) => clauses[bar]?.class_index ?? null : (bar) => (bar < numClasses ? bar : null),
      draws: plan.draws,
      rows: plan.statistics.header.num_rows,
      kept: false,
    };
  });
}

function joined(one: Histogram, other: Histogram): Histogram {
  const both = (a: Float64Array, b: Float64Array) => Float64Array.of(...a, ...b);
  return {
    raw: both(one.raw, other.raw),
    expected: both(one.expected, other.expected),
    low: both(one.low, other.low),
    high: both(one.high, other.high),
  };
}

function clauseNames(store: Store): string[] {
  const names = (store.query.value?.clauses ?? []).map((clause) => clause.label);
  return names.length > 0 ? names : ["every row"];
}

function fromSnapshot(snapshot: Snapshot | null): BarSource | null {
  const bars = snapshot?.bars;
  if (snapshot === null || bars === undefined || bars.length === 0) return null;
  const length = 1 + Math.max(...bars.map((bar) => bar.class_index));
  const histogram = {
    raw: new Float64Array(length),
    expected: new Float64Array(length),
    low: new Float64Array(length),
    high: new Float64Array(length),
  };
  const names: string[] = [];
  for (const bar of bars) {
    names[bar.class_index] = bar.name;
    histogram.raw[bar.class_index] = bar.raw;
    histogram.expected[bar.class_index] = bar.expected;
    histogram.low[bar.class_index] = bar.low;
    histogram.high[bar.class_index] = bar.high;
  }
  return {
    histogram,
    names,
    classes: bars.map((bar) => bar.class_index),
    classOf: (bar) => bar,
    draws: snapshot.draws,
    rows: snapshot.pool_size,
    kept: true,
  };
}
