// What the table shows, computed once for all its parts: rows in order, figures, the axis of the bars.
import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { ClauseInfo } from "../session/protocol.ts";
import type { Store } from "../session/store.ts";
import { chartsOf } from "../statistics/charts.ts";
import type { Histogram } from "../statistics/histogram.ts";
import { type Extent, extentOf } from "./axis-scale.ts";
import { type BarSource, barSource, keptClasses } from "./bar-source.ts";
import { type Sort, sorted } from "./row-order.ts";
import { meanOf, meansOf } from "./signal-means.ts";
import { type SliderRow, tableRows } from "./slider-rows.ts";
import { type TunerState, tunerState } from "./tuner-state.ts";

const AIR = 1.03; // between the longest bar and what is beside it
const LOG_FROM = 500; // times the smallest count

/** How things stood before a gesture on weights that a preset wrote. */
export interface Before {
  readonly expected: Float64Array;
  readonly classIndex: number | null; // whose slider it was
  readonly rows: number; // of the pool
  readonly presets: number; // applied by then
}

export interface TableModel {
  readonly store: Store;
  readonly state: TunerState;
  readonly sort: Signal<Sort>;
  readonly search: Signal<string>;
  readonly log: ReadonlySignal<boolean>;
  readonly bars: ReadonlySignal<BarSource | null>;
  readonly rows: ReadonlySignal<readonly SliderRow[]>;
  /** Those that a search finds, in order. */
  readonly shown: ReadonlySignal<readonly SliderRow[]>;
  readonly extent: ReadonlySignal<Extent>;
  readonly long: ReadonlySignal<boolean>; // some count has five digits
  readonly before: Signal<Before | null>;
  setLog(on: boolean): void;
  /** A slider or number is about to move: rows stay in place until `release`. */
  hold(row: SliderRow): void;
  release(): void;
}

const known = new WeakMap<Store, TableModel>();

export function tableModel(store: Store): TableModel {
  const found = known.get(store);
  if (found !== undefined) return found;
  const made = makeModel(store);
  known.set(store, made);
  return made;
}

function makeModel(store: Store): TableModel {
  const state = tunerState(store);
  const bars = barSource(store);
  const sort = signal<Sort>("rare");
  const search = signal("");
  const chosenLog = signal<boolean | null>(null);
  const before = signal<Before | null>(null);
  const rows = stableRows(store);
  const raw = sameArray(() => bars.value?.histogram.raw ?? null);
  const order = rowOrder({ store, state, rows, bars, raw, sort });
  const shown = computed(() => {
    const words = search.value.trim().toLowerCase();
    if (words === "") return order.value;
    return order.value.filter((row) => row.kind === "condition" || row.label.toLowerCase().includes(words));
  });
  const spread = computed(() => chosenLog.value ?? isWide(raw.value, rows.value));
  return {
    store,
    state,
    sort,
    search,
    log: spread,
    bars,
    rows,
    shown,
    extent: heldExtent(store, state, bars),
    long: computed(() => {
      const { highest } = raw.value === null ? { highest: 0 } : extentOf(raw.value);
      return Math.max(highest, bars.value?.draws ?? 0) >= 9999.5;
    }),
    before,
    setLog(on) {
      chosenLog.value = on;
    },
    hold(row) {
      if (state.held.peek()) return;
      const now = bars.peek();
      const { presets } = state;
      before.value =
        now === null || !state.hasPreset()
          ? null
          : { expected: now.histogram.expected, classIndex: row.classIndex, rows: now.rows, presets };
      state.held.value = true;
    },
    release() {
      state.held.value = false;
    },
  };
}

/** Rows are made anew only when the clauses are others, not when a number moves. */
function stableRows(store: Store): ReadonlySignal<readonly SliderRow[]> {
  const charts = chartsOf(store);
  const classes = computed((): { classes: number[]; names: readonly string[] } => {
    const statistics = store.statistics.value;
    if (statistics === null) return keptClasses(store.snapshot.value);
    const names = Array.from({ length: statistics.header.num_classes }, (_, c) => store.classNames.value[c] ?? "");
    return { classes: [...names.keys()], names };
  });
  const unlabeled = computed(() => charts.background.value !== null);
  let last: readonly ClauseInfo[] = [];
  const clauses = computed(() => {
    const now = store.clauses.value;
    if (!sameClauses(last, now)) last = now;
    return last;
  });
  return computed(() =>
    tableRows({
      ...classes.value,
      clauses: clauses.value,
      sampling: store.query.value?.has_sampling ?? false,
      unlabeled: unlabeled.value,
    }),
  );
}

/** But for their weights. */
function sameClauses(a: readonly ClauseInfo[], b: readonly ClauseInfo[]): boolean {
  return a.length === b.length && a.every((one, i) => sameClause(one, b[i] as ClauseInfo));
}

function sameClause(a: ClauseInfo, b: ClauseInfo): boolean {
  const same = a.expression === b.expression && a.label === b.label && a.class_index === b.class_index;
  return same && (a.from === null) === (b.from === null);
}

/** The same array as long as its values are the same. */
function sameArray(get: () => Float64Array | null): ReadonlySignal<Float64Array | null> {
  let last: Float64Array | null = null;
  return computed(() => {
    const now = get();
    if (now === null || last === null || now.length !== last.length || now.some((n, i) => n !== last?.[i])) last = now;
    return last;
  });
}

interface OrderRequest {
  store: Store;
  state: TunerState;
  rows: ReadonlySignal<readonly SliderRow[]>;
  bars: ReadonlySignal<BarSource | null>;
  raw: ReadonlySignal<Float64Array | null>;
  sort: Signal<Sort>;
}

/** While a gesture is under way the order is the last one, with new conditions on top. */
function rowOrder({ store, state, rows, bars, raw, sort }: OrderRequest): ReadonlySignal<readonly SliderRow[]> {
  let last: readonly string[] = [];
  let lastSort: Sort | null = null;
  return computed(() => {
    const all = rows.value;
    if ((state.held.value || store.dragging.value) && lastSort === sort.value && last.length > 0) {
      const byKey = new Map(all.map((row) => [row.key, row]));
      const kept = last.flatMap((key) => byKey.get(key) ?? []);
      const keptKeys = new Set(last);
      return [...all.filter((row) => !keptKeys.has(row.key)), ...kept];
    }
    const figures: Pick<Histogram, "raw" | "expected"> | null =
      sort.value === "moved" ? (bars.value?.histogram ?? null) : null;
    const means = sort.value === "signal" ? meansOf(store).value : null;
    const weights = sort.value === "weight" ? store.weights.value : new Float64Array();
    const order = sorted(all, sort.value, {
      raw: raw.value ?? new Float64Array(),
      expected: figures?.expected ?? new Float64Array(),
      weight: (row) => weightOf(row, weights, state),
      pinned: (row) => isPinned(row, state),
      signal: (row) => meanOf(means, row),
    });
    last = order.map((row) => row.key);
    lastSort = sort.value;
    return order;
  });
}

function weightOf(row: SliderRow, weights: Float64Array, state: TunerState): number {
  const asked = row.classIndex === null ? undefined : state.asked.value.get(row.classIndex);
  return asked ?? (row.clause === null ? 1 : (weights[row.clause] ?? 1));
}

export function isPinned(row: SliderRow, state: TunerState): boolean {
  if (row.kind !== "class") return false;
  if (row.clause === null) return row.classIndex !== null && state.asked.value.has(row.classIndex);
  return state.isByHand(row.expression, row.clause);
}

/** What the axis must hold: it grows in the middle of a gesture when it must, and shrinks at rest, so that bars do not jump. */
function heldExtent(store: Store, state: TunerState, bars: ReadonlySignal<BarSource | null>): ReadonlySignal<Extent> {
  let last: Extent = { highest: 1, lowest: 1 };
  return computed(() => {
    if (bars.value === null) return last;
    const { raw, expected, high } = bars.value.histogram;
    const { highest, lowest } = extentOf(raw, expected, high);
    const needed = { highest: AIR * highest, lowest };
    const held = store.dragging.value || state.held.value;
    if (held && last.highest >= needed.highest) return last;
    if (last.highest !== needed.highest || last.lowest !== needed.lowest) last = needed;
    return last;
  });
}

/** Whether the longest bar is so much longer than that of the rarest class that one scale hides the short ones. */
function isWide(raw: Float64Array | null, rows: readonly SliderRow[]): boolean {
  if (raw === null) return false;
  const { lowest } = extentOf(rows.filter((row) => row.kind === "class").map((row) => raw[row.bar] ?? 0));
  return rows.some((row) => row.kind === "class") && extentOf(raw).highest >= LOG_FROM * lowest;
}
