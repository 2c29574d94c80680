// The training that draws from a loader of this session, as the kernel tells of it a few times a second.
import { batch } from "@preact/signals";
import type { LiveState } from "./protocol.ts";
import type { Store } from "./store.ts";

type Base = Omit<Store, "actions">;

/** A loader that was not there before brings its schedule into view; one that is gone takes it along. */
export function receiveLive(store: Base, live: LiveState | null): void {
  const before = store.live.value;
  batch(() => {
    store.live.value = live;
    const reported = live?.reported?.name ?? null;
    if (reported !== null && (before?.reported?.name ?? null) !== reported) store.signalColumn.value ??= reported;
    if (live !== null && before?.loader !== live.loader) store.coverTab.value = "schedule";
    if (live === null && store.coverTab.value === "schedule") store.coverTab.value = "epochs";
  });
}

/** Epochs and batches as people count them, from 1, and where in its epoch a position is. */
export function placeOf({ draws, num_batches }: LiveState, position: number): { epoch: number; batch: number } {
  const epoch = draws > 0 ? Math.floor(position / draws) : 0;
  const within = position - epoch * draws;
  const size = num_batches > 0 ? draws / num_batches : 1;
  return { epoch: epoch + 1, batch: Math.min(num_batches, Math.floor(within / size) + 1) };
}
