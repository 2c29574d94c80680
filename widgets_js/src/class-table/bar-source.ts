import { computed, type ReadonlySignal } from "@preact/signals";
import type { Snapshot } from "../session/protocol.ts";
import type { Store } from "../session/store.ts";
import { chartsOf } from "../statistics/charts.ts";
import type { Histogram } from "../statistics/histogram.ts";
import { pastOf, withPast } from "./epoch-under-way.ts";

/** What the bars show, and where from: the statistics, or the figures kept in the notebook. */
export interface BarSource {
  readonly histogram: Histogram; // of classes, then conditions, then samples without a label
  readonly draws: number;
  readonly rows: number;
  readonly kept: boolean; // from the snapshot: nothing moves
  readonly past?: readonly number[] | null; // of each class, drawn in the epoch that is under way
}

export function barSource(store: Store): ReadonlySignal<BarSource | null> {
  const charts = chartsOf(store);
  return computed(() => {
    const plan = charts.plan.value;
    const ofClasses = charts.byClause.value ? null : charts.histogram.value;
    if (plan === null) return fromSnapshot(store.snapshot.value);
    const live = store.live.value;
    const past = ofClasses === null ? null : pastOf(live, store.unit.value);
    const shown = ofClasses === null || past === null || live === null ? ofClasses : withPast(ofClasses, past, live);
    const parts = [charts.conditions.value, charts.background.value].filter((part) => part !== null);
    return {
      histogram: joined(shown === null ? parts : [shown, ...parts]),
      past,
      draws: plan.draws,
      rows: plan.statistics.header.num_rows,
      kept: false,
    };
  });
}

function joined(parts: readonly Histogram[]): Histogram {
  const all = (name: keyof Histogram): Float64Array => {
    const length = parts.reduce((sum, part) => sum + part[name].length, 0);
    const out = new Float64Array(length);
    let at = 0;
    for (const part of parts) {
      out.set(part[name], at);
      at += part[name].length;
    }
    return out;
  };
  return { raw: all("raw"), expected: all("expected"), low: all("low"), high: all("high") };
}

/** Classes and names of the figures kept in the notebook. */
export function keptClasses(snapshot: Snapshot | null): { classes: number[]; names: string[] } {
  const bars = snapshot?.bars ?? [];
  const names = new Array<string>(1 + Math.max(-1, ...bars.map((bar) => bar.class_index))).fill("");
  for (const { class_index, name } of bars) names[class_index] = name;
  return { classes: bars.map((bar) => bar.class_index), names };
}

function fromSnapshot(snapshot: Snapshot | null): BarSource | null {
  const bars = snapshot?.bars;
  if (snapshot === null || bars === undefined || bars.length === 0) return null;
  const length = keptClasses(snapshot).names.length + 1; // and every sample
  const histogram = {
    raw: new Float64Array(length),
    expected: new Float64Array(length),
    low: new Float64Array(length),
    high: new Float64Array(length),
  };
  for (const bar of bars) {
    histogram.raw[bar.class_index] = bar.raw;
    histogram.expected[bar.class_index] = bar.expected;
    histogram.low[bar.class_index] = bar.low;
    histogram.high[bar.class_index] = bar.high;
  }
  histogram.raw[length - 1] = snapshot.pool_size;
  for (const name of ["expected", "low", "high"] as const) histogram[name][length - 1] = snapshot.draws;
  return { histogram, draws: snapshot.draws, rows: snapshot.pool_size, kept: true };
}
