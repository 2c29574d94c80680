// Ctrl+Z and Ctrl+Shift+Z on the sliders take weights back and forth; a line says which.
import type { Store } from "../session/store.ts";
import { formatWeight } from "../session/text-binding.ts";
import { pluralText } from "../ui/number-text.ts";
import { clauseLabel } from "./slider-rows.ts";
import { tunerState } from "./tuner-state.ts";

const SHOWN_MS = 6000;
const timers = new WeakMap<Store, ReturnType<typeof setTimeout>>();

export function stepWeights(store: Store, order: KeyboardEvent | "undo" | "redo"): void {
  const direction = typeof order === "string" ? order : directionOf(order);
  if (direction === null) return;
  if (typeof order !== "string") {
    order.preventDefault();
    order.stopPropagation();
  }
  const before = store.weights.peek();
  const moved = direction === "undo" ? store.actions.undoWeights() : store.actions.redoWeights();
  if (!moved) return;
  const state = tunerState(store);
  state.endSolo();
  state.undone.value = { text: described(store, before), redo: direction === "undo" };
  clearTimeout(timers.get(store));
  timers.set(
    store,
    setTimeout(() => {
      state.undone.value = null;
    }, SHOWN_MS),
  );
}

function directionOf(event: KeyboardEvent): "undo" | "redo" | null {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return null;
  const key = event.key.toLowerCase();
  if (key === "y" && !event.shiftKey) return "redo";
  if (key !== "z") return null;
  return event.shiftKey ? "redo" : "undo";
}

function described(store: Store, before: Float64Array): string {
  const now = store.weights.peek();
  const changed = [...now.keys()].filter((i) => now[i] !== before[i]);
  const [first] = changed;
  if (changed.length !== 1 || first === undefined) return `Restored ${pluralText(changed.length, "weight")}. `;
  const clause = store.clauses.peek()[first];
  const label = clause === undefined ? "weight" : clauseLabel(clause);
  return `${label}: ${formatWeight(before[first] ?? 0)} → ${formatWeight(now[first] ?? 0)}. `;
}
