// What can be asked now: of a kernel everything, of a page without one a part, of a kernel that is gone nothing.
import type { Ops } from "./protocol.ts";
import type { Store } from "./store.ts";

/** Why nobody answers an operation, in one sentence; null if somebody does. Reading subscribes. */
export function whyNot(store: Pick<Store, "page" | "isLive">, op: keyof Ops): string | null {
  if (!store.isLive.value) return "The kernel does not answer: run this cell again.";
  const page = store.page.value;
  return page === null || page.answers.includes(op) ? null : page.why;
}
