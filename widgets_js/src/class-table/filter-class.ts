// The one place where the table filters the grid.
import type { Store } from "../session/store.ts";

export function canFilter(store: Store): boolean {
  return store.isLive.value;
}

export function isFiltered(store: Store, classIndex: number): boolean {
  return store.classFilter.value === classIndex;
}

/** Shows the samples with a class, again all samples the second time. */
export async function filterBy(store: Store, classIndex: number, _add: boolean): Promise<void> {
  if (!canFilter(store)) return;
  await store.actions.filterClass(isFiltered(store, classIndex) ? null : classIndex);
}
