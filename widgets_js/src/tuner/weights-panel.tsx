import type { Store } from "../shared/store.ts";

export function WeightsPanel(_props: { store: Store }) {
  return null;
}
