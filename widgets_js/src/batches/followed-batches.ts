// The first batches of the exported loader, asked for while somebody looks and the sliders rest.
import { effect, type Signal } from "@preact/signals";
import { isCancelled } from "../session/rpc.ts";
import type { Store } from "../session/store.ts";
import { chartsOf } from "../statistics/charts.ts";
import { debounce } from "../ui/debounce.ts";

const REST_MS = 150;
export const NUM_BATCHES = 12;

export interface Batches {
  readonly counts: readonly (readonly number[])[]; // batch -> instances of each class
  readonly size: number;
  readonly stale: boolean;
}

export interface Followed {
  readonly size: Signal<number>;
  readonly batches: Signal<Batches | null>;
  readonly fault: Signal<string | null>;
}

/** Returns the end. */
export function followBatches(store: Store, { size, batches, fault }: Followed): () => void {
  const charts = chartsOf(store);
  const ask = debounce(async () => {
    const plan = charts.plan.peek();
    if (plan === null || plan.draws === 0 || !store.isLive.peek()) return;
    const args = {
      batch_size: size.peek(),
      num_batches: NUM_BATCHES,
      weights: Array.from(store.weights.peek()),
      mode: plan.mode,
      seed: store.seed.peek(),
    };
    try {
      const { result } = await store.rpc.call("plan.batches", args, { lane: "batches" });
      batches.value = { counts: result.counts, size: args.batch_size, stale: false };
      fault.value = null;
    } catch (failure) {
      if (!isCancelled(failure)) fault.value = failure instanceof Error ? failure.message : String(failure);
    }
  }, REST_MS);
  const stop = effect(() => {
    const plan = charts.plan.value;
    void size.value;
    void store.seed.value;
    const last = batches.peek();
    if (last !== null && !last.stale) batches.value = { ...last, stale: true };
    if (plan !== null && store.isLive.value) ask();
  });
  return () => {
    stop();
    ask.cancel();
  };
}
