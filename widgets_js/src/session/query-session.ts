// Text, clauses, weights and what the kernel says of them. A slider never waits: it rewrites its literal, replaces the
// weights the charts draw, and the kernel hears of it at rest.
import { batch } from "@preact/signals";
import { debounce } from "../ui/debounce.ts";
import { countText } from "../ui/number-text.ts";
import { movedClasses, renamedText, renamesInWords } from "./followed.ts";
import { isOutdated, receiveGrid } from "./grid-state.ts";
import { followEdit, type PositionMap, poolText, sameButWeights, sameStructure, splitSampling } from "./live-text.ts";
import type {
  ClauseInfo,
  DatasetInfo,
  Diagnostic,
  Display,
  FollowedClasses,
  Mode,
  Ops,
  PresetName,
  QueryState,
} from "./protocol.ts";
import { isCancelled, RpcFailure } from "./rpc.ts";
import { decodeStatistics } from "./statistics-arrays.ts";
import type { Actions, FilterAction, Store } from "./store.ts";
import { inTable, setWeight, setWeights } from "./text-binding.ts";
import {
  changedText,
  type Gesture,
  sameState,
  WeightHistory,
  type WeightState,
  type WeightStep,
  weightState,
  weightsFor,
} from "./weight-history.ts";
import { EchoFilter, sameWeights } from "./weight-memory.ts";

const REST_MS = 50;
const KEEP_MS = 150;
const CHANGED = "the query text has changed; run it first";

/** What a change is made from. */
interface Standing {
  readonly text: string;
  readonly clauses: readonly ClauseInfo[];
}

type Base = Omit<Store, "actions">;
type QueryActions = Omit<Actions, "setUnit" | "undo" | "redo" | FilterAction>;

function weightsOf(clauses: readonly ClauseInfo[]): Float64Array {
  return Float64Array.from(clauses, (clause) => clause.weight);
}

/** Weights that stay as they are, by the source of their clauses. */
type Kept = ReadonlyMap<string, number>;

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

export class QuerySession {
  /** Where the last run failed, for the editor's underline. */
  onDiagnostics: (diagnostics: Diagnostic[]) => void = () => {};
  /** What failed but has no place in the text. */
  onProblem: (message: string) => void = () => {};
  /** The query was rewritten for classes that have other names. */
  onFollowed: (message: string) => void = () => {};
  /** Weights were taken back or done again, or something worth a word was done to them. */
  onWeights: (text: string, next: "undo" | "redo" | null) => void = () => {};
  lastRows: string | null = null;
  private readonly store: Base;
  private readonly gestures = new WeightHistory();
  private readonly echoes = new EchoFilter();
  /** A page that is loaded again goes on from these; nothing depends on their arrival. */
  private readonly keepSteps = debounce(() => {
    this.store.rpc.call("weights.keep", { steps: this.gestures.kept() }, { lane: "weights.keep" }).catch(() => {});
  }, KEEP_MS);
  private readonly tellWeights = debounce(() => this.sendWeights(), REST_MS);
  /** A change that has not been sent to the kernel; and the last one sent, until it is answered. */
  private unsent = false;
  private unanswered: Promise<unknown> | null = null;
  private waiting: ReturnType<typeof setInterval> | undefined;
  /** The weights of the query that ran, while its text is being rewritten. */
  private ranState: WeightState | null = null;
  /** What rewrites the text does so one after the other: each from what the one before has left. */
  private writing: Promise<unknown> = Promise.resolve();
  private numWriting = 0;
  /** The last change of classes that was taken. */
  private followed = 0;

  constructor(store: Base) {
    this.store = store;
  }

  actions(): QueryActions {
    return {
      run: (change) => this.run(change),
      setWeight: (clause, value) => this.moveSlider(clause, value),
      setWeights: (values, name) => this.changeWeights(values, name),
      undoWeights: () => this.stepWeights("undo"),
      redoWeights: () => this.stepWeights("redo"),
      addClass: (classIndex, weight = 2) => this.addClass(classIndex, weight),
      removeClause: (clause) => this.removeClause(clause),
      preset: (name, parameter, kept) => this.preset(name, parameter, kept),
      resetWeights: () => this.resetWeights(),
      runWeights: (text, name, kept) => this.runWeights(text, name, kept),
      tellWeights: (text, undo) => this.onWeights(text, undo ? "undo" : null),
      setMode: (mode) => this.setMode(mode),
      setSeed: (seed) => this.setSeed(seed),
      toggleClass: (classIndex) => this.toggleClass(classIndex),
      announce: (text) => this.announce(text),
    };
  }

  welcome(hello: Ops["hello"][1], buffers: DataView[]): void {
    const { store } = this;
    this.followed = hello.query.followed?.number ?? 0;
    this.unanswered = null; // of a kernel that is gone
    this.writing = Promise.resolve();
    batch(() => {
      store.link.value = "live";
      store.page.value = hello.page ?? null;
      store.history.value = hello.history;
      store.views.value = hello.views;
      this.apply(hello, buffers, true);
      if (hello.draft !== null && hello.draft !== hello.query.text) this.replaceText(hello.draft);
    });
    if (hello.weight_steps) this.gestures.restore(hello.weight_steps);
    if (hello.page === undefined) this.gestures.onChange = this.keepSteps;
  }

  receiveDataset(dataset: DatasetInfo): void {
    this.store.dataset.value = dataset;
  }

  /** What an edit, Python or another widget changed. In the middle of a gesture it waits: its weights are older. */
  receiveDisplay(display: Display, buffers: DataView[]): void {
    if (this.weightsAreNewer()) {
      this.askLater();
      return;
    }
    const mine = this.store.query.value;
    const { query } = display;
    const renames = this.renamesOf(query);
    const same = mine !== null && (renames !== null || sameButWeights(mine, query));
    const typed = same ? this.draftOver(renames === null ? query : mine) : null;
    const draft = typed === null ? null : renamedText(typed, renames ?? []);
    if (mine !== null && !same) this.announce("The query was changed elsewhere.");
    if (renames !== null && mine !== null && mine.text !== query.text) this.onFollowed(renamesInWords(renames));
    if (renames !== null) this.gestures.rename(renames);
    batch(() => {
      if (renames !== null) this.followClasses(query.followed?.classes ?? null);
      this.apply(display, buffers, mine === null || poolText(mine.text) !== poolText(query.text));
      if (draft !== null) this.replaceText(draft);
    });
  }

  /** The classes renamed since the query on show, else null; each change counts once. */
  private renamesOf({ followed }: QueryState): FollowedClasses["renames"] | null {
    if (followed === null || followed.number <= this.followed) return null;
    this.followed = followed.number;
    return followed.renames;
  }

  private followClasses(classes: number[] | null): void {
    const { hiddenClasses } = this.store;
    hiddenClasses.value = movedClasses(hiddenClasses.value, classes);
  }

  /** The sliders stand where the kernel does not know them yet: what it sends is older than they are. */
  private weightsAreNewer(): boolean {
    return this.store.dragging.value || this.unsent || this.unanswered !== null;
  }

  /** What was typed into the editor and has not run, else null. */
  private draftOver(query: QueryState): string | null {
    const { text, clauses, textFault } = this.store;
    const typed = textFault.value !== null || !sameButWeights({ text: text.value, clauses: clauses.value }, query);
    return typed ? text.value : null;
  }

  /** When the sliders rest, take what arrived meanwhile. */
  private askLater(): void {
    if (this.waiting !== undefined) return;
    this.waiting = setInterval(() => {
      if (this.weightsAreNewer()) return;
      this.stopWaiting();
      void this.catchUp();
    }, REST_MS);
  }

  private stopWaiting(): void {
    clearInterval(this.waiting);
    this.waiting = undefined;
  }

  private async catchUp(): Promise<void> {
    try {
      await this.weightsMessage();
      const { result, buffers } = await this.store.rpc.call("hello", {}, { lane: "hello" });
      this.receiveDisplay(result, buffers);
    } catch (failure) {
      this.failed(failure);
    }
  }

  receiveWeights(view: DataView | undefined): void {
    if (view === undefined || this.store.dragging.value || this.unsent || view.byteLength % 8 !== 0) return;
    const values = Float64Array.from({ length: view.byteLength / 8 }, (_, i) => view.getFloat64(i * 8, true));
    if (values.length !== this.store.weights.value.length || sameWeights(values, this.store.weights.value)) return;
    if (this.echoes.isEcho(values)) return;
    this.write(values, false);
  }

  /** The user typed: literals move along, numbers typed into them count at once, the rest waits for the kernel's lint. */
  edit(text: string, map: PositionMap, outside: boolean): void {
    const { store } = this;
    const followed = followEdit(text, store.clauses.value, map, outside);
    const weights = weightsOf(followed.clauses);
    const changed = !sameWeights(weights, store.weights.value);
    if (changed && followed.onlyNumbers && store.textFault.value === null)
      this.remember({ name: null, key: "the text" });
    batch(() => {
      store.text.value = text;
      store.clauses.value = followed.clauses;
      if (changed && followed.onlyNumbers) store.weights.value = weights;
      if (text === store.query.value?.text) store.textFault.value = null;
      else if (!followed.onlyNumbers) store.textFault.value = CHANGED;
    });
    if (changed && followed.onlyNumbers && store.textFault.value === null) this.tellLater();
  }

  async lint(text: string): Promise<Diagnostic[]> {
    if (!this.store.isLive.value) return [];
    try {
      const { result } = await this.store.rpc.call("query.lint", { text }, { lane: "lint" });
      if (text === this.store.text.value) this.bind(result.clauses, result.diagnostics);
      return result.diagnostics;
    } catch {
      return [];
    }
  }

  /** `text` replaces the editor's and needs a run before sliders can move it. */
  replaceText(text: string): void {
    batch(() => {
      this.store.text.value = text;
      this.store.textFault.value = text === this.store.query.value?.text ? null : CHANGED;
    });
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
    const { store } = this;
    if (store.textFault.peek() !== null) {
      this.onWeights(`Run the query first: ${store.textFault.peek()}`, null);
      return false;
    }
    const now = this.weightState();
    const found = direction === "undo" ? this.gestures.undo(now) : this.gestures.redo(now);
    if (found === null) return false;
    if (!(await this.goTo(found.step.to))) return false;
    found.taken();
    const text = `${direction === "undo" ? "Undid" : "Redid"}: ${found.step.text}`;
    this.announce(text);
    this.onWeights(text, direction === "undo" ? "redo" : "undo");
    return true;
  }

  private async goTo(state: WeightStep["to"]): Promise<boolean> {
    const { store } = this;
    if (this.weightState().frame === state.frame && state.weights.length === store.weights.peek().length) {
      this.write(state.weights);
      return true;
    }
    if (!store.isLive.peek()) {
      this.onWeights("This step needs a running kernel", null);
      return false;
    }
    const { pool } = splitSampling(store.text.peek());
    const text = state.sampling === "" ? pool.trimEnd() : `${pool.trimEnd()} ${state.sampling}`;
    return this.runText({ text }, this.standing(), (clauses) => weightsFor(state, clauses, store.weights.peek()));
  }

  private weightState(): WeightState {
    const { text, clauses, weights } = this.store;
    return weightState(text.peek(), clauses.peek(), weights.peek());
  }

  /** Called once before a gesture changes weights, so that one undo takes the whole gesture back. */
  private remember(gesture: Gesture): void {
    this.gestures.remember(this.weightState(), gesture);
  }

  async run(change: { text?: string; mode?: Mode; seed?: number } = {}): Promise<void> {
    // what was typed runs at once; without it the text is still being written
    if (change.text === undefined && this.numWriting > 0 && this.typedText() === null) await this.writing;
    const before = this.store.textFault.peek() === null ? this.weightState() : this.ranState;
    if (!(await this.runText(change)) || before === null) return;
    const now = this.weightState();
    const name = changedText(before, now);
    if (!sameState(before, now)) this.gestures.remember(before, { name: name === "the weights" ? "the query" : null });
  }

  /** Runs a text. `since`: what it was made from; weights that have moved since are kept. `weigh`: what its clauses weigh. */
  private async runText(
    change: { text?: string; mode?: Mode; seed?: number },
    since: Standing = this.standing(),
    weigh?: (clauses: readonly ClauseInfo[]) => Float64Array,
  ): Promise<boolean> {
    const { store } = this;
    const args = { mode: store.mode.value, seed: store.seed.value, text: store.text.value, ...change };
    this.tellWeights.cancel();
    this.unsent = false;
    store.busy.value = "running the query";
    const onProgress = (_done: number, _total: number | null, what: string): void => {
      store.busy.value = what;
    };
    try {
      const { result, buffers } = await store.rpc.call("query.run", args, { lane: "run", onProgress });
      batch(() => {
        store.history.value = result.history;
        const typed = store.text.value;
        const moved =
          typed === since.text && store.clauses.value === since.clauses ? null : this.movedSince(since.clauses);
        this.apply(result, buffers, this.isAnotherPool(result.query));
        const weights = weigh?.(store.clauses.peek());
        if (weights !== undefined && !sameWeights(weights, store.weights.peek())) this.write(weights);
        if (moved !== null) this.moveAgain(moved);
        else if (typed !== since.text) this.replaceText(typed);
      });
      this.announce(`${countText(result.query.pool_size)} of ${countText(result.query.num_rows)} samples match`);
      return true;
    } catch (failure) {
      this.failed(failure);
      return false;
    } finally {
      store.busy.value = null;
    }
  }

  /** Run a text that a click made of the query that ran; what was typed and has not run stays in the editor. */
  async runBeside(text: string): Promise<void> {
    const draft = this.typedText();
    await this.run({ text });
    if (draft !== null && draft !== this.store.text.value) this.replaceText(draft);
  }

  /** Write the grid's filter, or the selection, into WHERE. */
  async narrow(by: "filter" | "selection"): Promise<void> {
    const { store } = this;
    const draft = this.typedText();
    try {
      await this.settle();
      const { result, buffers } = await store.rpc.call("query.narrow", { text: this.ranText(), by }, { lane: "run" });
      batch(() => {
        store.history.value = result.history;
        this.apply(result, buffers, true);
        if (draft !== null) this.replaceText(draft);
      });
      this.announce(`${countText(result.query.pool_size)} of ${countText(result.query.num_rows)} samples match`);
    } catch (failure) {
      this.failed(failure);
    }
  }

  /** What was typed into the editor and has not run, else null. */
  private typedText(): string | null {
    return this.store.textFault.value === null ? null : this.store.text.value;
  }

  private standing(): Standing {
    return { text: this.store.text.value, clauses: this.store.clauses.value };
  }

  /** New weights by expression, where nothing but weights has changed; else null. */
  private movedSince(clauses: readonly ClauseInfo[]): Map<string, number> | null {
    const now = this.store.clauses.value;
    if (this.store.textFault.value !== null || !sameStructure(clauses, now)) return null;
    return new Map(
      now.filter((one, i) => one.weight !== clauses[i]?.weight).map((one) => [one.expression, one.weight]),
    );
  }

  private moveAgain(moved: ReadonlyMap<string, number>): void {
    if (moved.size === 0) return;
    this.write(this.store.clauses.value.map(({ expression, weight }) => moved.get(expression) ?? weight));
  }

  cancelRun(): void {
    this.store.rpc.cancelLane("run");
  }

  /** Before code is exported the kernel must have heard of every slider. */
  async settle(): Promise<void> {
    this.tellWeights.cancel();
    await this.weightsMessage();
  }

  async openView(id: string): Promise<void> {
    try {
      const { result, buffers } = await this.store.rpc.call("views.open", { id }, { lane: "run" });
      batch(() => {
        this.store.history.value = result.history;
        this.apply(result, buffers, this.isAnotherPool(result.query));
      });
    } catch (failure) {
      this.failed(failure);
    }
  }

  async saveView(message: string): Promise<void> {
    try {
      const { result } = await this.store.rpc.call("views.save", { message });
      this.store.views.value = result.views;
      this.announce(`saved view ${message}`);
    } catch (failure) {
      this.failed(failure);
    }
  }

  dispose(): void {
    this.keepSteps.cancel();
    this.stopWaiting();
    this.tellWeights.flush();
  }

  announce(text: string): void {
    this.store.announcement.value = text;
  }

  private isAnotherPool(query: QueryState): boolean {
    const before = this.store.query.value;
    return before === null || before.seed !== query.seed || poolText(before.text) !== poolText(query.text);
  }

  /** What the kernel shows is the state all panels draw from; `asked`: another pool was asked for. */
  apply({ dataset, query, grid }: Display, buffers: DataView[], asked: boolean): void {
    const { store } = this;
    if (isOutdated(store, grid)) return;
    store.dataset.value = dataset;
    store.query.value = query;
    if (query.kind === "rows") this.lastRows = query.text;
    store.statistics.value = query.statistics === null ? null : decodeStatistics(query.statistics, buffers);
    store.combine.value = query.combine;
    if (query.has_sampling) store.mode.value = query.mode;
    store.seed.value = query.seed;
    this.onDiagnostics([]);
    store.text.value = query.text;
    store.clauses.value = query.clauses;
    store.weights.value = weightsOf(query.clauses);
    store.preset.value = query.preset ?? null;
    store.textFault.value = null;
    this.ranState = query.kind === "rows" ? this.weightState() : null;
    receiveGrid(store, grid, asked);
  }

  private bind(clauses: ClauseInfo[] | null, diagnostics: Diagnostic[]): void {
    const { store } = this;
    const error = diagnostics.find((diagnostic) => diagnostic.severity === "error");
    batch(() => {
      if (clauses === null || error !== undefined) {
        store.textFault.value = error?.message ?? "the query text is not valid";
        return;
      }
      const ran = store.query.value;
      const fits =
        ran !== null && sameStructure(clauses, ran.clauses) && poolText(ran.text) === poolText(store.text.value);
      store.textFault.value = fits ? null : CHANGED;
      if (!fits) return;
      // a table's values are those of the sliders, which the kernel hears of later
      store.clauses.value = clauses.map((one, i) =>
        inTable(one) ? { ...one, weight: store.weights.value[i] ?? one.weight } : one,
      );
      const weights = weightsOf(store.clauses.value);
      if (!sameWeights(weights, store.weights.value)) store.weights.value = weights;
    });
  }

  private moveSlider(clause: number, value: number): void {
    const { store } = this;
    const moved = store.clauses.value[clause];
    if (store.textFault.value !== null || moved === undefined) return;
    const key = keyOf(moved);
    if (store.dragging.value) this.gestures.keepOn(key);
    else this.remember({ name: null, key });
    const bound = setWeight(store.text.value, store.clauses.value, clause, value);
    if (bound.moved) this.commit(bound.text, bound.clauses);
  }

  private changeWeights(values: ArrayLike<number>, name: string | null = null): void {
    if (this.store.textFault.value !== null) return;
    this.remember({ name });
    this.write(values);
  }

  private write(values: ArrayLike<number>, tell = true): void {
    const bound = setWeights(this.store.text.value, this.store.clauses.value, values);
    this.commit(bound.text, bound.clauses, tell);
  }

  private commit(text: string, clauses: ClauseInfo[], tell = true): void {
    batch(() => {
      this.store.text.value = text;
      this.store.clauses.value = clauses;
      this.store.weights.value = weightsOf(clauses);
    });
    if (this.ranState !== null) this.ranState = this.weightState();
    if (tell) this.tellLater();
  }

  private sendWeights(): void {
    this.weightsMessage().catch((failure) => this.failed(failure));
  }

  private tellLater(): void {
    this.unsent = true;
    this.tellWeights();
  }

  private async weightsMessage(): Promise<void> {
    const { store } = this;
    this.unsent = false;
    if (!store.isLive.value || store.query.value?.kind !== "rows") return;
    const args = {
      weights: Array.from(store.weights.value),
      text: this.ranText(),
      mode: store.mode.value,
      seed: store.seed.value,
    };
    this.echoes.tell(args.weights);
    const answer = store.rpc.call("weights.set", args, { lane: "weights" });
    this.unanswered = answer;
    try {
      await answer;
    } finally {
      if (this.unanswered === answer) this.unanswered = null;
    }
  }

  /** The query that ran, with the weights of now. */
  ranText(): string {
    return this.store.textFault.value === null ? this.store.text.value : (this.store.query.value?.text ?? "");
  }

  /** Charts of another mode need no new statistics: the kernel is told with the weights. */
  private setMode(mode: Mode): void {
    this.store.mode.value = mode;
    this.tellLater();
  }

  private setSeed(seed: number): void {
    this.store.seed.value = seed;
    this.tellLater();
  }

  private async addClass(classIndex: number, weight: number): Promise<void> {
    const key = `class ${classIndex}`;
    await this.rewrite(() => this.asked("clause.add", { class_index: classIndex, weight }), { name: null, key });
    this.gestures.keepOn(key);
  }

  private async removeClause(clause: number): Promise<void> {
    const removed = this.store.clauses.peek()[clause];
    if (removed !== undefined && inTable(removed)) {
      this.moveSlider(clause, 1); // a table has a weight for every class
      return;
    }
    const label = removed?.label ?? "clause";
    const written = async (): Promise<string> => {
      const clauses = this.store.clauses.peek(); // others may have come and gone since
      const now = sameSource(clauses[clause], removed) ? clause : clauses.findIndex((one) => sameSource(one, removed));
      return now < 0 ? this.store.text.peek() : this.asked("clause.remove", { clause: now });
    };
    await this.rewrite(written, { name: `removed ${label}` });
  }

  private asked(op: "clause.add", args: { class_index: number; weight: number }): Promise<string>;
  private asked(op: "clause.remove", args: { clause: number }): Promise<string>;
  private async asked(op: "clause.add" | "clause.remove", args: object): Promise<string> {
    const all = { text: this.store.text.value, ...args } as Ops["clause.add"][0] & Ops["clause.remove"][0];
    return (await this.store.rpc.call(op, all)).result.text;
  }

  /** Runs the text that the kernel writes; one step of the weights' history. Whether it ran. */
  private rewrite(written: () => Promise<string>, gesture: Gesture, kept?: Kept): Promise<boolean> {
    return this.inTurn(() => this.rewriteNow(written, gesture, kept));
  }

  private async rewriteNow(written: () => Promise<string>, gesture: Gesture, kept?: Kept): Promise<boolean> {
    const since = this.standing();
    const before = this.weightState();
    try {
      const text = await written();
      if (text === since.text) return true;
      if (!(await this.runText({ text }, since, (clauses) => withKept(clauses, kept)))) return false;
      this.gestures.remember(before, gesture);
      return true;
    } catch (failure) {
      this.failed(failure);
      return false;
    }
  }

  private async preset(name: PresetName, parameter?: number, kept?: Kept): Promise<string | null> {
    let reference: string | null = null;
    const written = async (): Promise<string> => {
      const extra = parameter === undefined ? {} : { parameter };
      const args = { text: this.store.text.value, preset: name, ...extra };
      const { result } = await this.store.rpc.call("clause.preset", args);
      reference = result.reference;
      return result.text;
    };
    return (await this.rewrite(written, { name: name.replaceAll("_", " ") }, kept)) ? reference : null;
  }

  /** A text with other weights that somebody else wrote, as a solver of shares. */
  private runWeights(text: string, name: string, kept?: Kept): Promise<boolean> {
    return this.rewrite(async () => text, { name }, kept);
  }

  /** No weights: SAMPLE BY goes. Without a kernel every weight is 1. */
  private async resetWeights(): Promise<boolean> {
    const { store } = this;
    if (!store.isLive.peek()) {
      this.changeWeights(new Float64Array(store.weights.peek().length).fill(1), "reset all");
      return true;
    }
    return this.rewrite(async () => splitSampling(store.text.peek()).pool.trimEnd(), { name: "reset all" });
  }

  private toggleClass(classIndex: number): void {
    const next = new Set(this.store.hiddenClasses.value);
    if (!next.delete(classIndex)) next.add(classIndex);
    this.store.hiddenClasses.value = next;
  }

  /** Shows an error where it belongs: under the text where it is of the text, else in a line at the bottom. */
  failed(failure: unknown): void {
    if (isCancelled(failure)) return;
    const error = failure instanceof RpcFailure ? failure.error : { code: "Error", message: String(failure) };
    if (error.code === "NoKernel" && this.store.link.value !== "static") {
      this.store.link.value = "dead"; // the header and the status line say the rest
      return;
    }
    const message = error.hint ? `${error.message}. ${error.hint}` : error.message;
    this.announce(message);
    if (error.from === undefined) {
      this.onProblem(message);
      return;
    }
    const length = this.store.text.value.length;
    const from = Math.min(error.from, length);
    const to = Math.min(error.to ?? from, length);
    this.onDiagnostics([{ from, to, severity: "error", message, fix: error.fix ?? null }]);
  }
}
