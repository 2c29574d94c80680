import { useEffect, useMemo } from "preact/hooks";
import { isFiltered } from "../session/grid-filter.ts";
import type { Session } from "../session/session.ts";
import type { Columns } from "./columns.ts";

/** Another query, edit or filter: the names and profiles are asked for anew. */
export function useFresh({ store }: Session, columns: Columns): void {
  const live = store.isLive.value;
  const query = store.query.value;
  const data = store.grid.value?.data;
  const grid = store.grid.value;
  const filtered = grid !== null && isFiltered(grid.filter);
  const shown = filtered ? `${grid.token} ${JSON.stringify(grid.filter)} ${grid.held ?? 0}` : "";
  const key = useMemo(() => ({}), [query, data, live, shown]);
  useEffect(() => {
    if (live && query !== null) columns.configure(key);
  }, [columns, key]);
}
