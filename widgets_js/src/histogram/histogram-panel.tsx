import type { Store } from "../shared/store.ts";

export function HistogramPanel(_props: { store: Store }) {
  return null;
}
