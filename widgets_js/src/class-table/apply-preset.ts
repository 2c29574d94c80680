// Weighs all classes by a preset and says in one line what that did. Locked weights stay.
import type { Session } from "../session/session.ts";
import type { Statistics } from "../session/statistics-arrays.ts";
import type { Store } from "../session/store.ts";
import { doneText, type PresetInfo, presetWeights } from "./preset-weights.ts";
import { tunerState } from "./tuner-state.ts";

export async function applyPreset(session: Session, preset: PresetInfo, parameter: number | undefined): Promise<void> {
  const { store } = session;
  const before = store.clauses.value;
  const [frame, weights] = [store.text.value, store.weights.value];
  const kept = keptWeights(store);
  if (store.isLive.value) {
    if ((await store.actions.preset(preset.name, parameter, kept)) === null) return;
  } else applyHere(store, preset, parameter, kept);
  tunerState(store).keepLocked(before);
  const changed = store.text.value !== frame || store.weights.value !== weights;
  store.actions.tellWeights(toldOf(store, preset, parameter, kept), changed);
}

export async function resetAll({ store }: Session): Promise<void> {
  const before = store.clauses.value.length;
  tunerState(store).endSolo();
  if (!(await store.actions.resetWeights())) return;
  store.actions.tellWeights(`Reset: ${before === 1 ? "1 weight is" : `${before} weights are`} gone`, true);
}

/** Locked weights, by the source of their clauses. */
export function keptWeights(store: Store): ReadonlyMap<string, number> {
  const state = tunerState(store);
  return new Map(
    store.clauses.value.filter((one) => state.isLocked(one)).map(({ expression, weight }) => [expression, weight]),
  );
}

/** Without a kernel, on the clauses there are. */
function applyHere(
  store: Store,
  preset: PresetInfo,
  parameter: number | undefined,
  kept: ReadonlyMap<string, number>,
): void {
  const counts = sampleCounts(store.statistics.value);
  const clauses = store.clauses.value;
  const rows = store.query.value?.pool_size ?? 0;
  const written = presetWeights(preset.name, parameter, clauses, counts, rows);
  const weights = written.map((weight, i) => kept.get(clauses[i]?.expression ?? "") ?? weight);
  store.actions.setWeights(weights, preset.label);
  store.preset.value = {
    name: preset.name,
    parameter: parameter ?? null,
    weights: clauses.map(({ class_index }, i) => (class_index === null ? null : (written[i] as number))),
  };
}

function toldOf(
  store: Store,
  preset: PresetInfo,
  parameter: number | undefined,
  kept: ReadonlyMap<string, number>,
): string {
  const counts = sampleCounts(store.statistics.value);
  const rows = store.statistics.value?.header.num_rows ?? 0;
  const clauses = store.clauses.value;
  const present = [...counts.keys()].filter((c) => (counts[c] ?? 0) > 0);
  const named = [...clauses.keys()].filter((i) => (counts[clauses[i]?.class_index ?? -1] ?? 0) > 0);
  const [first] = [...present].sort((a, b) => (counts[a] ?? 0) - (counts[b] ?? 0));
  return doneText({
    preset,
    parameter,
    weights: named.map((i) => store.weights.value[i] ?? 1),
    locked: named.filter((i) => kept.has(clauses[i]?.expression ?? "")).length,
    rarest:
      first === undefined || rows === 0
        ? null
        : { name: store.classNames.value[first] ?? "", share: (counts[first] ?? 0) / rows },
  });
}

/** Samples of the pool that have each class. */
export function sampleCounts(statistics: Statistics | null): Float64Array {
  const counts = new Float64Array(statistics?.header.num_classes ?? 0);
  statistics?.classIds.forEach((c, at) => {
    counts[c] = (counts[c] ?? 0) + (statistics.rowsWithClass[at] ?? 0);
  });
  return counts;
}
