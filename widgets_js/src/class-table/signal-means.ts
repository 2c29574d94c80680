// What training reported of the samples, a class and a condition: the mean over the pool, asked for while somebody looks.
import { effect, type ReadonlySignal, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Ops } from "../session/protocol.ts";
import type { Store } from "../session/store.ts";
import { debounce } from "../ui/debounce.ts";
import type { SliderRow } from "./slider-rows.ts";

export type Means = Ops["signals.means"][1] & { readonly name: string };

const REST_MS = 120;
const USUAL = "loss";

/** The signal of the column, or of the sort where there is no column; null without signals. */
export function shownSignal({ dataset, signalColumn }: Store): string | null {
  const names = dataset.value?.signals?.names ?? [];
  const wanted = signalColumn.value;
  if (wanted !== null && names.includes(wanted)) return wanted;
  return names.includes(USUAL) ? USUAL : (names[0] ?? null);
}

/** Whether the class table has a column of it. */
export function hasColumn(store: Store): boolean {
  return store.signalColumn.value !== null && store.signalColumn.value === shownSignal(store);
}

interface Followed {
  readonly means: ReadonlySignal<Means | null>;
  readonly wanted: { value: boolean };
}

const known = new WeakMap<Store, Followed>();

/** The last means; null before there are any. */
export function meansOf(store: Store): ReadonlySignal<Means | null> {
  return followedOf(store).means;
}

/** Asks for the means again with every query and every report, while `wanted`. */
export function useMeans(store: Store, wanted: boolean): void {
  const followed = followedOf(store);
  useEffect(() => {
    followed.wanted.value = wanted;
  }, [followed, wanted]);
}

function followedOf(store: Store): Followed {
  const found = known.get(store);
  if (found !== undefined) return found;
  const means = signal<Means | null>(null);
  const wanted = signal(false);
  const ask = debounce(async (name: string) => {
    try {
      const { result } = await store.rpc.call("signals.means", { name }, { lane: "signals.means" });
      means.value = { ...result, name };
    } catch {
      // those shown stay: the next query or report asks again
    }
  }, REST_MS);
  effect(() => {
    const name = shownSignal(store);
    void store.query.value;
    if (!wanted.value || name === null || !store.isLive.value) return;
    if (means.peek()?.name !== name) means.value = null;
    ask(name);
  });
  const made = { means, wanted };
  known.set(store, made);
  return made;
}

/** The mean of a row; null where nothing was reported of its samples. */
export function meanOf(means: Means | null, row: SliderRow): number | null {
  if (means === null) return null;
  if (row.classIndex !== null) return means.classes[row.classIndex] ?? null;
  return row.clause === null ? null : (means.clauses[row.clause] ?? null);
}

/** The longest bar. */
export function largestMean(means: Means | null): number {
  if (means === null) return 0;
  return Math.max(0, ...means.classes.map((mean) => mean ?? 0), ...means.clauses.map((mean) => mean ?? 0));
}
