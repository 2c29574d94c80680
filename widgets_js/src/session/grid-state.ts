// What the grid shows, as the kernel keeps it: the one place where its answers reach the store.
import { batch } from "@preact/signals";
import { sameFilter } from "./grid-filter.ts";
import type { GridState } from "./protocol.ts";
import type { Store } from "./store.ts";

type Base = Omit<Store, "actions">;

/** A reply that was on its way while newer news arrived says nothing. */
export function isOutdated(store: Base, grid: GridState): boolean {
  return grid.rev < (store.grid.value?.rev ?? -1);
}

/** `asked`: another pool, filter or order was asked for, and the first sample is shown; else the sample on show stays. */
export function receiveGrid(store: Base, grid: GridState, asked: boolean): void {
  if (isOutdated(store, grid)) return;
  const before = store.grid.value;
  const moved = before?.token !== grid.token;
  batch(() => {
    store.grid.value = grid;
    if (!sameFilter(store.filter.value, grid.filter)) store.filter.value = grid.filter;
    store.gridSize.value = grid.size;
    if (!moved && before?.data === grid.data) return;
    store.keepTiles.value = !asked || !moved;
    store.stay.value = !asked || before === null;
    store.gridEpoch.value++;
    if (asked && moved) store.current.value = grid.size > 0 ? 0 : null;
    else store.current.value = within(store.current.value, grid.size);
  });
}

function within(position: number | null, size: number): number | null {
  if (size === 0) return null;
  return Math.min(position ?? 0, size - 1);
}

/** Another filter or order was asked for, here or elsewhere. */
export function isArrangedOtherwise(before: GridState, now: GridState): boolean {
  const sorted = before.sort === now.sort && before.descending === now.descending;
  return !sorted || !sameFilter(before.filter, now.filter);
}
