// Queries saved under a message, and opened again.
import { batch } from "@preact/signals";
import type { QuerySession } from "./query-session.ts";

/** Run the query of a saved view. */
export async function openView(query: QuerySession, id: string): Promise<void> {
  try {
    const { result, buffers } = await query.store.rpc.call("views.open", { id }, { lane: "run" });
    batch(() => {
      query.store.history.value = result.history;
      query.apply(result, buffers, query.isAnotherPool(result.query));
    });
  } catch (failure) {
    query.failed(failure);
  }
}

/** Save what is displayed under a message. */
export async function saveView(query: QuerySession, message: string): Promise<void> {
  try {
    const { result } = await query.store.rpc.call("views.save", { message });
    query.store.views.value = result.views;
    query.announce(`saved view ${message}`);
  } catch (failure) {
    query.failed(failure);
  }
}
