import { useEffect, useMemo } from "preact/hooks";
import type { Session } from "../session/session.ts";
import type { Columns } from "./columns.ts";

/** Another query, edit or filter: the names and profiles are asked for anew. */
export function useFresh({ store }: Session, columns: Columns): void {
  const live = store.isLive.value;
  const query = store.query.value;
  const data = store.grid.value?.data;
  const key = useMemo(() => ({}), [query, data, live]);
  useEffect(() => {
    if (live && query !== null) columns.configure(key);
  }, [columns, key]);
}
