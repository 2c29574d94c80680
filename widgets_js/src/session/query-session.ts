// Text, clauses, weights and what the kernel says of them. A slider never waits: it rewrites its literal, replaces the
// weights the charts draw, and the kernel hears of it at rest.
import { batch } from "@preact/signals";
import { debounce } from "../ui/debounce.ts";
import { countText } from "../ui/number-text.ts";
import { ChangesElsewhere } from "./changes-elsewhere.ts";
import { isOutdated, receiveGrid } from "./grid-state.ts";
import { receiveLive } from "./live-state.ts";
import { followEdit, type PositionMap, poolText, sameStructure } from "./live-text.ts";
import type { ClauseInfo, DatasetInfo, Diagnostic, Display, Mode, Ops, QueryState } from "./protocol.ts";
import { isCancelled, RpcFailure } from "./rpc.ts";
import { decodeStatistics } from "./statistics-arrays.ts";
import type { Actions, FilterAction, Store } from "./store.ts";
import { inTable, setWeights } from "./text-binding.ts";
import { type Standing, WeightGestures } from "./weight-gestures.ts";
import { changedText, sameState, type WeightState } from "./weight-history.ts";
import { sameWeights } from "./weight-memory.ts";
import { WeightSender } from "./weight-sender.ts";

const KEEP_MS = 150;
const CHANGED = "the query text has changed; run it first";

type Base = Omit<Store, "actions">;
type QueryActions = Omit<Actions, "setUnit" | "undo" | "redo" | FilterAction>;

function weightsOf(clauses: readonly ClauseInfo[]): Float64Array {
  return Float64Array.from(clauses, (clause) => clause.weight);
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
  readonly store: Base;
  private readonly gestures = new WeightGestures(this);
  private readonly sender: WeightSender;
  private readonly elsewhere: ChangesElsewhere;
  /** A page that is loaded again goes on from these; nothing depends on their arrival. */
  private readonly keepSteps = debounce(() => {
    const steps = this.gestures.history.kept();
    this.store.rpc.call("weights.keep", { steps }, { lane: "weights.keep" }).catch(() => {});
  }, KEEP_MS);
  /** The weights of the query that ran, while its text is being rewritten. */
  private ranState: WeightState | null = null;

  constructor(store: Base) {
    this.store = store;
    this.sender = new WeightSender(
      store,
      () => this.ranText(),
      (failure) => this.failed(failure),
    );
    this.elsewhere = new ChangesElsewhere(this, this.gestures.history, this.sender);
  }

  actions(): QueryActions {
    const { gestures } = this;
    return {
      run: (change) => this.run(change),
      setWeight: (clause, value) => gestures.moveSlider(clause, value),
      setWeights: (values, name) => gestures.changeWeights(values, name),
      undoWeights: () => gestures.stepWeights("undo"),
      redoWeights: () => gestures.stepWeights("redo"),
      addClass: (classIndex, weight = 2) => gestures.addClass(classIndex, weight),
      removeClause: (clause) => gestures.removeClause(clause),
      preset: (name, parameter, kept) => gestures.preset(name, parameter, kept),
      resetWeights: () => gestures.resetWeights(),
      runWeights: (text, name, kept) => gestures.runWeights(text, name, kept),
      tellWeights: (text, undo) => this.onWeights(text, undo ? "undo" : null),
      setMode: (mode) => this.setMode(mode),
      setSeed: (seed) => this.setSeed(seed),
      toggleClass: (classIndex) => this.toggleClass(classIndex),
      announce: (text) => this.announce(text),
    };
  }

  welcome(hello: Ops["hello"][1], buffers: DataView[]): void {
    const { store } = this;
    this.elsewhere.begin(hello.query);
    this.sender.forget();
    this.gestures.forget();
    batch(() => {
      store.link.value = "live";
      store.unanswered.value = false;
      store.page.value = hello.page ?? null;
      store.history.value = hello.history;
      store.views.value = hello.views;
      receiveLive(store, hello.live ?? null);
      this.apply(hello, buffers, true);
      if (hello.draft !== null && hello.draft !== hello.query.text) this.replaceText(hello.draft);
    });
    if (hello.weight_steps) this.gestures.history.restore(hello.weight_steps);
    if (hello.page === undefined) this.gestures.history.onChange = this.keepSteps;
  }

  receiveDataset(dataset: DatasetInfo): void {
    this.store.dataset.value = dataset;
  }

  receiveDisplay(display: Display, buffers: DataView[]): void {
    this.elsewhere.receive(display, buffers);
  }

  receiveWeights(view: DataView | undefined): void {
    if (view === undefined || view.byteLength % 8 !== 0) return;
    const values = Float64Array.from({ length: view.byteLength / 8 }, (_, i) => view.getFloat64(i * 8, true));
    if (values.length !== this.store.weights.value.length || sameWeights(values, this.store.weights.value)) return;
    if (this.sender.isNews(values)) this.write(values, false);
  }

  /** The user typed: literals move along, numbers typed into them count at once, the rest waits for the kernel's lint. */
  edit(text: string, map: PositionMap, outside: boolean): void {
    const { store } = this;
    const followed = followEdit(text, store.clauses.value, map, outside);
    const weights = weightsOf(followed.clauses);
    const changed = !sameWeights(weights, store.weights.value);
    if (changed && followed.onlyNumbers && store.textFault.value === null)
      this.gestures.begin({ name: null, key: "the text" });
    batch(() => {
      store.text.value = text;
      store.clauses.value = followed.clauses;
      if (changed && followed.onlyNumbers) store.weights.value = weights;
      if (text === store.query.value?.text) store.textFault.value = null;
      else if (!followed.onlyNumbers) store.textFault.value = CHANGED;
    });
    if (changed && followed.onlyNumbers && store.textFault.value === null) this.sender.later();
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

  async run(change: { text?: string; mode?: Mode; seed?: number } = {}): Promise<void> {
    // what was typed runs at once; without it the text is still being written
    const written = this.gestures.written();
    if (written !== null && change.text === undefined && this.typedText() === null) await written;
    const before = this.store.textFault.peek() === null ? this.gestures.now() : this.ranState;
    if (!(await this.runText(change)) || before === null) return;
    const now = this.gestures.now();
    const name = changedText(before, now);
    if (!sameState(before, now))
      this.gestures.history.remember(before, { name: name === "the weights" ? "the query" : null });
  }

  /** Runs a text. `since`: what it was made from; weights that have moved since are kept. `weigh`: what its clauses weigh. */
  async runText(
    change: { text?: string; mode?: Mode; seed?: number },
    since: Standing = this.standing(),
    weigh?: (clauses: readonly ClauseInfo[]) => Float64Array,
  ): Promise<boolean> {
    const { store } = this;
    const args = { mode: store.mode.value, seed: store.seed.value, text: store.text.value, ...change };
    this.sender.cancel();
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

  standing(): Standing {
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
    await this.sender.now();
  }

  dispose(): void {
    this.keepSteps.cancel();
    this.elsewhere.stop();
    this.sender.flush();
  }

  announce(text: string): void {
    this.store.announcement.value = text;
  }

  isAnotherPool(query: QueryState): boolean {
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
    this.ranState = query.kind === "rows" ? this.gestures.now() : null;
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

  write(values: ArrayLike<number>, tell = true): void {
    const bound = setWeights(this.store.text.value, this.store.clauses.value, values);
    this.commit(bound.text, bound.clauses, tell);
  }

  commit(text: string, clauses: ClauseInfo[], tell = true): void {
    batch(() => {
      this.store.text.value = text;
      this.store.clauses.value = clauses;
      this.store.weights.value = weightsOf(clauses);
    });
    if (this.ranState !== null) this.ranState = this.gestures.now();
    if (tell) this.sender.later();
  }

  /** The query that ran, with the weights of now. */
  ranText(): string {
    return this.store.textFault.value === null ? this.store.text.value : (this.store.query.value?.text ?? "");
  }

  /** Charts of another mode need no new statistics: the kernel is told with the weights. */
  private setMode(mode: Mode): void {
    this.store.mode.value = mode;
    this.sender.later();
  }

  private setSeed(seed: number): void {
    this.store.seed.value = seed;
    this.sender.later();
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
