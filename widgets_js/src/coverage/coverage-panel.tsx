import type { Store } from "../shared/store.ts";

export function CoveragePanel(_props: { store: Store }) {
  return null;
}
