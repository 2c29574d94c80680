// The one place where the table filters the grid.
import type { Store } from "../session/store.ts";
import type { SliderRow } from "./slider-rows.ts";

export function canFilter(store: Store): boolean {
  return store.isLive.value;
}

export function isFiltered(store: Store, classIndex: number): boolean {
  return store.filter.value.classes.includes(classIndex);
}

/** Shows the samples with a class, again all samples the second time; `add`: the class joins those that are shown. */
async function filterBy(store: Store, classIndex: number, add: boolean): Promise<void> {
  if (!canFilter(store)) return;
  if (add) await store.actions.filterClass(classIndex, { add });
  else await store.actions.filterClass(store.classFilter.value === classIndex ? null : classIndex);
}

/** What a click or Enter on a row does; with Shift, Ctrl or Cmd its class joins those that are shown. */
export function filterByRow(store: Store, { classIndex }: SliderRow, event: MouseEvent | KeyboardEvent): void {
  if (classIndex !== null) void filterBy(store, classIndex, event.shiftKey || event.ctrlKey || event.metaKey);
}
