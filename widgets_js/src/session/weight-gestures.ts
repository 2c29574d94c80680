// What one does to weights: sliders, numbers, clauses, presets, and each of these back and forth. One that needs the kernel
// waits for it, and the next one for that.
import { splitSampling } from "./live-text.ts";
import type { ClauseInfo, Ops, PresetName } from "./protocol.ts";
import type { Store } from "./store.ts";
import { inTable, setWeight } from "./text-binding.ts";
import {
  type Gesture,
  WeightHistory,
  type WeightState,
  type WeightStep,
  weightState,
  weightsFor,
} from "./weight-history.ts";

/** What a change is made from. */
export interface Standing {
  readonly text: string;
  readonly clauses: readonly ClauseInfo[];
}

/** Weights that stay as they are, by the source of their clauses. */
type Kept = ReadonlyMap<string, number>;

/** The query whose weights are changed. */
export interface WeighedQuery {
  readonly store: Omit<Store, "actions">;
  onWeights: (text: string, next: "undo" | "redo" | null) => void;
  standing(): Standing;
  runText(
    change: { text: string },
    since: Standing,
    weigh: (clauses: readonly ClauseInfo[]) => Float64Array,
  ): Promise<boolean>;
  write(values: ArrayLike<number>): void;
  commit(text: string, clauses: ClauseInfo[]): void;
  announce(text: string): void;
  failed(failure: unknown): void;
}

function withKept(clauses: readonly ClauseInfo[], kept: Kept | undefined): Float64Array {
  return Float64Array.from(clauses, ({ expression, weight }) => kept?.get(expression) ?? weight);
}

function sameSource(a: ClauseInfo | undefined, b: ClauseInfo | undefined): boolean {
  return a !== undefined && a.expression === b?.expression;
}

/** What a slider moves: a class keeps its key when its clause enters the text. */
function keyOf({ class_index, expression }: ClauseInfo): string {
  return class_index === null ? expression : `class ${class_index}`;
}

export class WeightGestures {
  readonly history = new WeightHistory();
  private readonly query: WeighedQuery;
  /** What rewrites the text does so one after the other: each from what the one before has left. */
  private writing: Promise<unknown> = Promise.resolve();
  private numWriting = 0;

  constructor(query: WeighedQuery) {
    this.query = query;
  }

  /** Until what rewrites the text has done so; null where nothing does. */
  written(): Promise<unknown> | null {
    return this.numWriting > 0 ? this.writing : null;
  }

  /** What waits is for a kernel that is gone. */
  forget(): void {
    this.writing = Promise.resolve();
  }

  /** One step back or forth; a step that needs the kernel waits for it, and the next one for that. */
  stepWeights(direction: "undo" | "redo"): Promise<boolean> {
    return this.inTurn(() => this.step(direction));
  }

  private inTurn<Result>(write: () => Promise<Result>): Promise<Result> {
    this.numWriting++;
    const turn = this.writing.then(write).finally(() => this.numWriting--);
    this.writing = turn.catch(() => {});
    return turn;
  }

  private async step(direction: "undo" | "redo"): Promise<boolean> {
    const { store } = this.query;
    if (store.textFault.peek() !== null) {
      this.query.onWeights(`Run the query first: ${store.textFault.peek()}`, null);
      return false;
    }
    const now = this.now();
    const found = direction === "undo" ? this.history.undo(now) : this.history.redo(now);
    if (found === null) return false;
    if (!(await this.goTo(found.step.to))) return false;
    found.taken();
    const text = `${direction === "undo" ? "Undid" : "Redid"}: ${found.step.text}`;
    this.query.announce(text);
    this.query.onWeights(text, direction === "undo" ? "redo" : "undo");
    return true;
  }

  private async goTo(state: WeightStep["to"]): Promise<boolean> {
    const { store } = this.query;
    if (this.now().frame === state.frame && state.weights.length === store.weights.peek().length) {
      this.query.write(state.weights);
      return true;
    }
    if (!store.isLive.peek()) {
      this.query.onWeights("This step needs a running kernel", null);
      return false;
    }
    const { pool } = splitSampling(store.text.peek());
    const text = state.sampling === "" ? pool.trimEnd() : `${pool.trimEnd()} ${state.sampling}`;
    return this.query.runText({ text }, this.query.standing(), (clauses) =>
      weightsFor(state, clauses, store.weights.peek()),
    );
  }

  now(): WeightState {
    const { text, clauses, weights } = this.query.store;
    return weightState(text.peek(), clauses.peek(), weights.peek());
  }

  /** Called once before a gesture changes weights, so that one undo takes the whole gesture back. */
  begin(gesture: Gesture): void {
    this.history.remember(this.now(), gesture);
  }

  moveSlider(clause: number, value: number): void {
    const { store } = this.query;
    const moved = store.clauses.value[clause];
    if (store.textFault.value !== null || moved === undefined) return;
    const key = keyOf(moved);
    if (store.dragging.value) this.history.keepOn(key);
    else this.begin({ name: null, key });
    const bound = setWeight(store.text.value, store.clauses.value, clause, value);
    if (bound.moved) this.query.commit(bound.text, bound.clauses);
  }

  changeWeights(values: ArrayLike<number>, name: string | null = null): void {
    if (this.query.store.textFault.value !== null) return;
    this.begin({ name });
    this.query.write(values);
  }

  async addClass(classIndex: number, weight: number): Promise<void> {
    const key = `class ${classIndex}`;
    await this.rewrite(() => this.asked("clause.add", { class_index: classIndex, weight }), { name: null, key });
    this.history.keepOn(key);
  }

  async removeClause(clause: number): Promise<void> {
    const removed = this.query.store.clauses.peek()[clause];
    if (removed !== undefined && inTable(removed)) {
      this.moveSlider(clause, 1); // a table has a weight for every class
      return;
    }
    const label = removed?.label ?? "clause";
    const written = async (): Promise<string> => {
      const clauses = this.query.store.clauses.peek(); // others may have come and gone since
      const now = sameSource(clauses[clause], removed) ? clause : clauses.findIndex((one) => sameSource(one, removed));
      return now < 0 ? this.query.store.text.peek() : this.asked("clause.remove", { clause: now });
    };
    await this.rewrite(written, { name: `removed ${label}` });
  }

  private asked(op: "clause.add", args: { class_index: number; weight: number }): Promise<string>;
  private asked(op: "clause.remove", args: { clause: number }): Promise<string>;
  private async asked(op: "clause.add" | "clause.remove", args: object): Promise<string> {
    const all = { text: this.query.store.text.value, ...args } as Ops["clause.add"][0] & Ops["clause.remove"][0];
    return (await this.query.store.rpc.call(op, all)).result.text;
  }

  /** Runs the text that the kernel writes; one step of the weights' history. Whether it ran. */
  private rewrite(written: () => Promise<string>, gesture: Gesture, kept?: Kept): Promise<boolean> {
    return this.inTurn(() => this.rewriteNow(written, gesture, kept));
  }

  private async rewriteNow(written: () => Promise<string>, gesture: Gesture, kept?: Kept): Promise<boolean> {
    const since = this.query.standing();
    const before = this.now();
    try {
      const text = await written();
      if (text === since.text) return true;
      if (!(await this.query.runText({ text }, since, (clauses) => withKept(clauses, kept)))) return false;
      this.history.remember(before, gesture);
      return true;
    } catch (failure) {
      this.query.failed(failure);
      return false;
    }
  }

  async preset(name: PresetName, parameter?: number, kept?: Kept): Promise<string | null> {
    let reference: string | null = null;
    const written = async (): Promise<string> => {
      const extra = parameter === undefined ? {} : { parameter };
      const args = { text: this.query.store.text.value, preset: name, ...extra };
      const { result } = await this.query.store.rpc.call("clause.preset", args);
      reference = result.reference;
      return result.text;
    };
    return (await this.rewrite(written, { name: name.replaceAll("_", " ") }, kept)) ? reference : null;
  }

  /** A text with other weights that somebody else wrote, as a solver of shares. */
  runWeights(text: string, name: string, kept?: Kept): Promise<boolean> {
    return this.rewrite(async () => text, { name }, kept);
  }

  /** No weights: SAMPLE BY goes. Without a kernel every weight is 1. */
  async resetWeights(): Promise<boolean> {
    const { store } = this.query;
    if (!store.isLive.peek()) {
      this.changeWeights(new Float64Array(store.weights.peek().length).fill(1), "reset all");
      return true;
    }
    return this.rewrite(async () => splitSampling(store.text.peek()).pool.trimEnd(), { name: "reset all" });
  }
}
