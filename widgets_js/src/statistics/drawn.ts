import { effect, type ReadonlySignal, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Mode } from "../session/protocol.ts";
import { isCancelled } from "../session/rpc.ts";
import type { Store } from "../session/store.ts";
import { debounce } from "../ui/debounce.ts";
import { chartsOf } from "./charts.ts";

const REST_MS = 150;
const MOST_EPOCHS = 8;
const MOST_DRAWS = 4_000_000;

/** What the loader's own stream draws, and for which weights. */
export interface Drawn {
  readonly unique: readonly number[]; // rows seen after epoch 1, 2, ...
  readonly counts: readonly number[]; // instances of each class in the first epoch
  readonly mode: Mode;
  readonly stale: boolean;
}

interface Followed {
  readonly drawn: ReadonlySignal<Drawn | null>;
  readonly stop: () => void;
  users: number;
}

const followed = new WeakMap<Store, Followed>();

/** The stream's own draws, asked for once for all panels of a widget, as long as one of them shows. */
export function useDrawn(store: Store): ReadonlySignal<Drawn | null> {
  const shared = followed.get(store) ?? { ...followDrawn(store), users: 0 };
  followed.set(store, shared);
  useEffect(() => {
    shared.users++;
    return () => {
      if (--shared.users > 0) return;
      shared.stop();
      followed.delete(store);
    };
  }, [shared, store]);
  return shared.drawn;
}

/** Asks the kernel once the sliders rest; until then the last answer stays, marked stale. Returns the end. */
function followDrawn(store: Store): { drawn: ReadonlySignal<Drawn | null>; stop: () => void } {
  const drawn = signal<Drawn | null>(null);
  const ask = debounce(async () => {
    const plan = chartsOf(store).plan.peek();
    if (plan === null || plan.draws === 0 || !store.isLive.peek()) return;
    const { mode } = plan;
    const args = {
      num_epochs: Math.max(1, Math.min(MOST_EPOCHS, Math.floor(MOST_DRAWS / plan.draws))),
      weights: Array.from(store.weights.peek()),
      mode,
      seed: store.seed.peek(),
    };
    try {
      const { result } = await store.rpc.call("plan.drawn", args, { lane: "drawn" });
      drawn.value = { ...result, mode, stale: false };
    } catch (failure) {
      if (!isCancelled(failure)) drawn.value = null;
    }
  }, REST_MS);
  const stop = effect(() => {
    const plan = chartsOf(store).plan.value;
    const live = store.isLive.value;
    void store.seed.value;
    const last = drawn.peek();
    if (last !== null && !last.stale) drawn.value = { ...last, stale: true };
    if (plan !== null && live) ask();
  });
  return {
    drawn,
    stop: () => {
      stop();
      ask.cancel();
    },
  };
}
