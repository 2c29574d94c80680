// What only the browser knows of the sliders: locks, solo, which weights a hand has set, and weights of classes that are
// on their way into the text.
import { computed, effect, type ReadonlySignal, type Signal, signal, untracked } from "@preact/signals";
import { renamedText } from "../session/followed.ts";
import type { ClauseInfo, QueryState } from "../session/protocol.ts";
import type { Store } from "../session/store.ts";
import { mostFor } from "./slider-scale.ts";

/** From so many clauses on nobody has typed them: a preset wrote them, though not in this view. */
const MOST_BY_HAND = 40;

export class TunerState {
  readonly locked: Signal<ReadonlySet<string>> = signal(new Set<string>()); // expressions
  readonly solo: Signal<string | null> = signal(null);
  /** A gesture is under way: rows stay where they are. */
  readonly held: Signal<boolean> = signal(false);
  /** Class -> the weight its slider stands at, until its clause is in the text. */
  readonly asked: Signal<ReadonlyMap<number, number>> = signal(new Map<number, number>());
  /** Where all sliders end, to the right; never less in the middle of a gesture. */
  readonly most: ReadonlySignal<number>;
  private readonly byHand: Signal<ReadonlySet<string>> = signal(new Set<string>()); // expressions
  private readonly fromPreset: Signal<ReadonlySet<string>> = signal(new Set<string>()); // expressions
  /** How many presets were applied. */
  presets = 0;
  private beforeSolo: Float64Array | null = null;
  private writing: Promise<void> = Promise.resolve();
  private readonly store: Store;

  constructor(store: Store) {
    this.store = store;
    let reached = 0;
    this.most = computed(() => {
      const needed = mostFor([...store.weights.value, ...this.asked.value.values()]);
      reached = this.held.value || store.dragging.value ? Math.max(reached, needed) : needed;
      return reached;
    });
    effect(() => {
      const query = store.query.value;
      untracked(() => this.heard(query));
    });
    let taken = store.query.peek()?.followed?.number ?? 0;
    effect(() => {
      const followed = store.query.value?.followed ?? null;
      if (followed === null || followed.number <= taken) return;
      taken = followed.number;
      untracked(() => this.rename((expression) => renamedText(expression, followed.renames)));
    });
  }

  /** What a preset wrote and what a hand has changed since, as the kernel tells it: after undo and a reload too. */
  private heard(query: QueryState | null): void {
    if (query?.preset === undefined) return;
    const written = query.preset?.weights ?? [];
    const known = query.clauses.flatMap(({ expression, weight }, i) =>
      typeof written[i] === "number" ? [{ expression, same: written[i] === weight }] : [],
    );
    this.fromPreset.value = new Set(known.filter(({ same }) => same).map(({ expression }) => expression));
    if (known.length > 0)
      this.byHand.value = new Set(known.filter(({ same }) => !same).map(({ expression }) => expression));
  }

  /** What is known of clauses stays with them when classes in them are renamed. */
  private rename(now: (expression: string) => string): void {
    for (const known of [this.locked, this.byHand, this.fromPreset]) known.value = new Set([...known.value].map(now));
    if (this.solo.value !== null) this.solo.value = now(this.solo.value);
  }

  isLocked(clause: ClauseInfo | undefined): boolean {
    return clause !== undefined && this.locked.value.has(clause.expression);
  }

  toggleLock(expression: string): void {
    const next = new Set(this.locked.value);
    if (!next.delete(expression)) next.add(expression);
    this.locked.value = next;
  }

  /** Whether a hand has set this weight, which keeps its row at the top. */
  isByHand(expression: string, clause: number): boolean {
    if (this.byHand.value.has(expression)) return true;
    const { preset, weights, clauses } = this.store;
    const written = preset.value?.weights[clause] ?? null;
    if (written !== null) return written !== weights.value[clause];
    return !this.fromPreset.value.has(expression) && clauses.value.length <= MOST_BY_HAND;
  }

  /** Whether a preset wrote weights that still stand. */
  hasPreset(): boolean {
    return this.fromPreset.value.size > 0 || this.store.preset.value?.weights.some((one) => one !== null) === true;
  }

  private touch(expression: string): void {
    if (!this.byHand.peek().has(expression)) this.byHand.value = new Set([...this.byHand.peek(), expression]);
    const left = new Set(this.fromPreset.peek());
    if (left.delete(expression)) this.fromPreset.value = left;
  }

  /** Moves the slider of a clause. */
  move(clause: number, weight: number): void {
    this.touch(this.store.clauses.peek()[clause]?.expression ?? "");
    this.store.actions.setWeight(clause, weight);
  }

  /** All other sliders at 0, locked ones left alone; a second time brings the weights back. */
  toggleSolo(clause: number): void {
    const { clauses, weights, actions } = this.store;
    const expression = clauses.value[clause]?.expression ?? null;
    if (this.solo.value === expression && this.beforeSolo?.length === weights.value.length) {
      actions.setWeights(this.beforeSolo, "end of solo");
      this.endSolo();
      return;
    }
    const before = this.solo.value === null ? weights.value : (this.beforeSolo ?? weights.value);
    const alone = before.map((weight, i) => (i === clause || this.isLocked(clauses.value[i]) ? weight : 0));
    actions.setWeights(alone, `solo ${clauses.value[clause]?.label ?? ""}`);
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
    this.presets++;
    const { clauses, weights, actions } = this.store;
    const kept = new Map(before.filter((clause) => this.isLocked(clause)).map((c) => [c.expression, c.weight]));
    this.byHand.value = new Set(kept.keys());
    this.fromPreset.value = new Set(clauses.value.map((c) => c.expression).filter((one) => !kept.has(one)));
    const next = clauses.value.map((clause, i) => kept.get(clause.expression) ?? (weights.value[i] as number));
    if (next.some((weight, i) => weight !== weights.value[i])) actions.setWeights(next);
  }

  /**
   * The slider of a class that no clause names: its first move adds the clause, and the clause is then brought to where
   * the slider stands by that time. One class after another, since each addition rewrites the text.
   */
  moveGhost(classIndex: number, weight: number): Promise<void> {
    const waiting = this.asked.peek().has(classIndex);
    this.asked.value = new Map([...this.asked.peek(), [classIndex, weight]]);
    if (!waiting) this.writing = this.writing.then(() => this.writeGhost(classIndex));
    return this.writing;
  }

  private async writeGhost(classIndex: number): Promise<void> {
    const { store } = this;
    const clauseOf = (): number => store.clauses.peek().findIndex((one) => one.class_index === classIndex);
    const standing = (): number => this.asked.peek().get(classIndex) ?? 1;
    try {
      if (clauseOf() < 0) await store.actions.addClass(classIndex, standing());
      const clause = clauseOf();
      if (clause >= 0) {
        this.touch(store.clauses.peek()[clause]?.expression ?? "");
        if (store.weights.peek()[clause] !== standing()) store.actions.setWeight(clause, standing());
      }
    } finally {
      const left = new Map(this.asked.peek());
      left.delete(classIndex);
      this.asked.value = left;
    }
  }

  /** Takes a clause out of the text; without a kernel, which writes it, the weight goes back to 1. */
  remove(clause: number): Promise<void> {
    const { store } = this;
    const expression = store.clauses.peek()[clause]?.expression;
    if (expression === undefined) return this.writing;
    const at = (): number =>
      store.clauses.peek()[clause]?.expression === expression
        ? clause
        : store.clauses.peek().findIndex((one) => one.expression === expression);
    this.writing = this.writing.then(async () => {
      if (at() < 0) return;
      if (store.isLive.peek()) await store.actions.removeClause(at());
      else store.actions.setWeight(at(), 1);
      for (const known of [this.byHand, this.locked]) {
        const left = new Set(known.peek());
        if (left.delete(expression)) known.value = left;
      }
    });
    return this.writing;
  }
}

const known = new WeakMap<Store, TunerState>();

export function tunerState(store: Store): TunerState {
  const state = known.get(store) ?? new TunerState(store);
  known.set(store, state);
  return state;
}
