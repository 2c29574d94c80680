import { useState } from "preact/hooks";

let made = 0;

/** An id no other element of the page has. Preact's useId starts anew in each widget, and radio groups of two would mix. */
export function useUniqueId(what: string): string {
  return useState(() => `penstock-${what}-${++made}`)[0];
}
