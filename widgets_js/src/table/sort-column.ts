// A column orders the rows: ascending, descending, then as queried again.
import type { ColumnInfo, GridSort } from "../session/protocol.ts";
import type { Session } from "../session/session.ts";

export type Direction = "ascending" | "descending" | "none";

/** What a column is sorted by: a tensor of single values as in the menu of the grid, else the column of the result. */
export function sortOf({ store }: Session, { name }: ColumnInfo): GridSort {
  const scalar = !store.isTable.value && store.dataset.value?.scalar_tensors.includes(name);
  return scalar ? `tensor:${name}` : `column:${name}`;
}

export function directionOf(session: Session, info: ColumnInfo): Direction {
  const { grid } = session;
  if (grid.sort.value !== sortOf(session, info)) return "none";
  return grid.descending.value ? "descending" : "ascending";
}

/** One step on, and what it is then, said aloud. */
export async function sortByColumn(session: Session, info: ColumnInfo): Promise<void> {
  const { grid, store } = session;
  if (!store.isLive.value) return;
  const now = directionOf(session, info);
  if (now === "descending") await grid.sortBy("query", false);
  else await grid.sortBy(sortOf(session, info), now === "ascending");
  const then = directionOf(session, info);
  if (then !== now) store.actions.announce(then === "none" ? "as queried" : `sorted by ${info.name}, ${then}`);
}
