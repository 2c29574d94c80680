import { useSignal } from "@preact/signals";
import type { Session } from "../session/session.ts";
import type { Store } from "../session/store.ts";
import { lazy } from "../ui/lazy.tsx";
import { Popover } from "../ui/popover.tsx";
import { PRESET_LABELS } from "./preset-labels.ts";

const BalanceChoices = lazy(() => import("./balance-choices.tsx").then((part) => part.BalanceChoices));

/** All ways to weigh every class at once; the button says which one holds. Filled before any weight, while Commit is not. */
export function BalanceMenu({ session }: { session: Session }) {
  const { store } = session;
  const typed = useSignal<Readonly<Record<string, string>>>({});
  const blocked = store.textFault.value !== null || store.statistics.value === null || hasNothing(store);
  const first = store.weights.value.every((weight) => weight === 1) && store.region.value !== "review";
  return (
    <Popover
      label={`${balanceLabel(store)} ▾`}
      class={`penstock-button penstock-tool-button${first && !blocked ? " penstock-primary" : ""}`}
      testid="penstock-balance"
      title="set the weights of all classes at once"
      disabled={blocked}
    >
      {(close) => <BalanceChoices session={session} typed={typed} close={close} />}
    </Popover>
  );
}

/** No class labels, no sample, or no kernel to write the first clause. */
function hasNothing(store: Store): boolean {
  if (store.classNames.value.length === 0 || store.query.value?.pool_size === 0) return true;
  return !store.isLive.value && store.clauses.value.length === 0;
}

/** "Balance", or what the weights come from: "Balanced, 1 changed". */
export function balanceLabel(store: Store): string {
  const preset = store.preset.value;
  if (preset === null || preset.name === "raw") return "Balance";
  const changed = changedWeights(store).size;
  const label = PRESET_LABELS[preset.name] ?? preset.name;
  const title = label.charAt(0).toUpperCase() + label.slice(1);
  return changed > 0 ? `${title}, ${changed} changed` : title;
}

/** Clauses of the preset whose weight is another one by now. */
export function changedWeights(store: Store): ReadonlySet<number> {
  const weights = store.weights.value;
  const written = store.preset.value?.weights ?? [];
  return new Set(
    [...written.keys()].filter((i) => written[i] !== null && i < weights.length && written[i] !== weights[i]),
  );
}
