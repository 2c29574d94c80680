// What only the browser knows of the sliders: locks, solo, stretched scales, and weights of classes not yet in the text.
import { effect, type Signal, signal, untracked } from "@preact/signals";
import { renamedText } from "../session/followed.ts";
import type { ClauseInfo } from "../session/protocol.ts";
import type { Store } from "../session/store.ts";
import { mostFor, USUAL_MOST } from "./slider-scale.ts";

export interface Undone {
  readonly text: string;
  readonly redo: boolean;
}

export class TunerState {
  readonly locked: Signal<ReadonlySet<string>> = signal(new Set<string>()); // expressions
  readonly solo: Signal<string | null> = signal(null);
  readonly undone: Signal<Undone | null> = signal(null);
  private beforeSolo: Float64Array | null = null;
  private readonly reach = new Map<string, number>();
  private readonly asked = new Map<number, number>(); // class -> the weight its slider stands at, while the kernel adds it
  private readonly store: Store;

  constructor(store: Store) {
    this.store = store;
    let taken = store.query.peek()?.followed?.number ?? 0;
    effect(() => {
      const followed = store.query.value?.followed ?? null;
      if (followed === null || followed.number <= taken) return;
      taken = followed.number;
      untracked(() => this.rename((expression) => renamedText(expression, followed.renames)));
    });
  }

  /** Locks and solo stay with their clauses when classes in them are renamed. */
  private rename(now: (expression: string) => string): void {
    this.locked.value = new Set([...this.locked.value].map(now));
    if (this.solo.value !== null) this.solo.value = now(this.solo.value);
    for (const [expression, most] of [...this.reach]) this.reach.set(now(expression), most);
  }

  /** Right end of a slider; grows with what was typed and stays. */
  mostOf(expression: string, weight: number): number {
    const most = mostFor(weight, this.reach.get(expression) ?? USUAL_MOST);
    this.reach.set(expression, most);
    return most;
  }

  isLocked(clause: ClauseInfo | undefined): boolean {
    return clause !== undefined && this.locked.value.has(clause.expression);
  }

  toggleLock(expression: string): void {
    const next = new Set(this.locked.value);
    if (!next.delete(expression)) next.add(expression);
    this.locked.value = next;
  }

  /** All other sliders at 0, locked ones left alone; a second time brings the weights back. */
  toggleSolo(clause: number): void {
    const { clauses, weights, actions } = this.store;
    const expression = clauses.value[clause]?.expression ?? null;
    if (this.solo.value === expression && this.beforeSolo?.length === weights.value.length) {
      actions.setWeights(this.beforeSolo);
      this.endSolo();
      return;
    }
    const before = this.solo.value === null ? weights.value : (this.beforeSolo ?? weights.value);
    const alone = before.map((weight, i) => (i === clause || this.isLocked(clauses.value[i]) ? weight : 0));
    actions.setWeights(alone);
    this.beforeSolo = before;
    this.solo.value = expression;
  }

  endSolo(): void {
    this.solo.value = null;
    this.beforeSolo = null;
  }

  /** Weights after a preset or a solution, with the locked ones as they were. */
  keepLocked(before: readonly ClauseInfo[]): void {
    this.endSolo();
    const { clauses, weights, actions } = this.store;
    const kept = new Map(before.filter((clause) => this.isLocked(clause)).map((c) => [c.expression, c.weight]));
    const next = clauses.value.map((clause, i) => kept.get(clause.expression) ?? (weights.value[i] as number));
    if (next.some((weight, i) => weight !== weights.value[i])) actions.setWeights(next);
  }

  /** The first move of a class that no clause names: add it, then bring it to where the slider stands by then. */
  async moveGhost(classIndex: number, weight: number): Promise<void> {
    const already = this.asked.has(classIndex);
    this.asked.set(classIndex, weight);
    if (already) return;
    await this.store.actions.addClass(classIndex, weight);
    const wanted = this.asked.get(classIndex);
    this.asked.delete(classIndex);
    const clause = this.store.clauses.value.findIndex((one) => one.class_index === classIndex);
    if (clause >= 0 && wanted !== undefined && wanted !== this.store.weights.value[clause]) {
      this.store.actions.setWeight(clause, wanted);
    }
  }
}

const known = new WeakMap<Store, TunerState>();

export function tunerState(store: Store): TunerState {
  const state = known.get(store) ?? new TunerState(store);
  known.set(store, state);
  return state;
}
