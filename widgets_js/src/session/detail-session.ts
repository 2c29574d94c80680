// The sample on show: fetched for the current position, replaced by what an edit returns.
import { batch, effect, signal, untracked } from "@preact/signals";
import { debounce } from "../ui/debounce.ts";
import { EditQueue } from "./edit-queue.ts";
import type { EditSession } from "./edit-session.ts";
import type { Edited } from "./labels.ts";
import type { QueryState, SampleDetail } from "./protocol.ts";
import { isCancelled, type Reply, RpcFailure } from "./rpc.ts";
import { SampleCache } from "./sample-cache.ts";
import { SamplesAhead } from "./samples-ahead.ts";
import type { Point } from "./shapes.ts";
import { applied, type ShownSample, withShapes } from "./shown-sample.ts";
import type { Store } from "./store.ts";
import { TypeAhead } from "./type-ahead.ts";

export type { ShownSample } from "./shown-sample.ts";

export class DetailSession {
  readonly sample = signal<ShownSample | null>(null);
  readonly url = signal<string | null>(null);
  readonly fault = signal<string | null>(null);
  /** Another sample was asked for and has not arrived. */
  readonly waiting = signal(false);
  readonly selectedBox = signal<number | null>(null);
  /** A vertex or keypoint of one of the boxes. */
  readonly selectedPoint = signal<{ box: number; point: Point } | null>(null);
  readonly drawing = signal(false);
  readonly showBefore = signal(false);
  /** Name of the class that a drawn box gets: as a name, since other classes may come and go. */
  readonly drawClass = signal<string | null>(null);
  /** Keys have not come to rest: the stage shows what was not sent yet. */
  readonly restless = signal(false);
  /** The panel is open: from the first sample that someone chose. */
  readonly opened = signal(false);
  /** Sides of the panel as someone dragged them, pixels; null: the usual ones. */
  readonly beside = signal<number | null>(null);
  readonly under = signal<number | null>(null);
  /** How the image is drawn here; nothing of it reaches the data. `window`: values that are black and white. */
  readonly brightness = signal(1);
  readonly contrast = signal(1);
  readonly window = signal<readonly [number, number] | null>(null);
  /** Where the chosen box is on the stage, pixels. */
  readonly chosenAt = signal<{ x: number; y: number; width: number; height: number } | null>(null);
  /** The stage puts itself here. */
  onKey: (event: KeyboardEvent) => void = () => {};
  focusStage: () => void = () => {};
  /** Images that may be shown next; the stage has the browser load them. */
  loadImages: (urls: readonly string[]) => void = () => {};
  /** Keys that wait for a sample to arrive. */
  readonly keys: TypeAhead;
  /** Which sample the grid shows at a position, where it knows. */
  uidAt: (position: number) => string | undefined = () => undefined;
  private readonly pendingSave = debounce((save: () => void) => save(), 400);
  private readonly queue = new EditQueue();
  private readonly cache = new SampleCache();
  private readonly store: Omit<Store, "actions">;
  private readonly edits: EditSession;
  private readonly stop: () => void;
  private readonly stopClauses: () => void;
  private clauses: string | null = null;
  /** The sample on show, or the one that was asked for. */
  private uid: string | null = null;
  private epoch = -1;
  /** Where the sample on show is found now; going there fetches nothing. */
  private settled: number | null = null;
  private direction: 1 | -1 = 1;
  private readonly ahead: SamplesAhead;
  /** Someone has gone to a sample that is on its way. */
  private awaited: number | null = null;

  constructor(store: Omit<Store, "actions">, edits: EditSession) {
    this.store = store;
    this.edits = edits;
    this.keys = new TypeAhead(this.waiting);
    this.ahead = new SamplesAhead(store.rpc);
    this.ahead.onAnswer = (position, answer) => this.receiveAhead(position, answer);
    edits.settle = () => this.settle();
    this.stop = effect(() => {
      const position = store.current.value;
      const epoch = store.gridEpoch.value;
      if (store.isLive.value) untracked(() => this.follow(position, epoch));
    });
    this.stopClauses = effect(() => {
      const clauses = clausesOf(store.query.value);
      untracked(() => this.followClauses(clauses));
    });
  }

  /** Which clauses match a sample is known for those of the query that ran. */
  private followClauses(clauses: string): void {
    const before = this.clauses;
    this.clauses = clauses;
    const { store } = this;
    if (!before || before === clauses || !store.isLive.peek()) return;
    this.cache.renew(store.grid.peek()?.token ?? "");
    const sample = this.sample.peek();
    if (sample !== null && !this.waiting.peek()) void this.stayOn(sample.uid, sample.position);
  }

  private follow(position: number | null, epoch: number): void {
    const renewed = epoch !== this.epoch;
    this.epoch = epoch;
    if (position !== null && !renewed && position === this.settled) return;
    this.pendingSave.flush();
    this.settled = this.awaited = null;
    if (renewed) {
      this.ahead.stop();
      this.cache.renew(this.store.grid.value?.token ?? "");
    }
    if (position === null) this.show(null, null);
    else if (renewed && this.store.stay.value && this.uid !== null) void this.stayOn(this.uid, position);
    else if (renewed) void this.fetch({ position });
    else this.goTo(position);
  }

  private goTo(position: number): void {
    const from = this.sample.peek()?.position ?? position;
    if (position !== from) this.direction = position > from ? 1 : -1;
    const kept = this.cache.at(position);
    const uid = kept?.sample.uid ?? this.uidAt(position) ?? null;
    this.uid = uid;
    if (kept === undefined && this.ahead.has(position)) this.wait(position);
    else if (kept === undefined) {
      this.ahead.want([], this.near(position));
      void this.fetch(uid === null ? { position } : { uid, position });
    } else {
      this.store.rpc.cancelLane("sample");
      this.show(kept.sample, kept.url);
      if (this.cache.isFresh(position)) this.prepare();
      else void this.stayOn(kept.sample.uid, position);
    }
  }

  /** For a sample that is on its way, with those after it. */
  private wait(position: number): void {
    this.store.rpc.cancelLane("sample");
    this.waiting.value = true;
    this.awaited = position;
    this.fetchAhead(position);
  }

  /** The class a drawn box gets: the one chosen last, else the sample's first. Null where boxes carry no class. */
  drawLabel(): number | null {
    const dataset = this.store.dataset.value;
    if (dataset?.label_tensor == null) return null;
    const chosen = this.drawClass.value === null ? -1 : dataset.class_names.indexOf(this.drawClass.value);
    return chosen >= 0 ? chosen : (this.sample.value?.labels[0] ?? 0);
  }

  /** While it is held, or until the next sample: what was committed. */
  hold(before: boolean): void {
    this.showBefore.value = before && this.sample.value?.before != null;
  }

  /** Keys that repeat make one edit: it is sent when they rest, or before anything else is. */
  saveSoon(save: () => void): void {
    this.restless.value = true;
    this.pendingSave(save);
  }

  /** Send what waits for keys to rest; null if nothing is on its way. */
  private settle(): Promise<unknown> | null {
    this.pendingSave.flush();
    return this.queue.settled();
  }

  /** Change the sample as the edits before leave it. */
  edit(make: (sample: ShownSample) => Edited): Promise<boolean> {
    this.pendingSave.flush();
    const sample = this.sample.value;
    return sample === null ? Promise.resolve(false) : this.change(make(sample));
  }

  /** Send changed labels and boxes, after the edits before. The sample is shown so at once; the reply is the truth. */
  change(edited: Edited): Promise<boolean> {
    const sample = this.sample.value;
    this.pendingSave.cancel();
    this.restless.value = false;
    if (sample === null || this.store.dataset.value?.read_only !== false) return Promise.resolve(false);
    this.take(applied(sample, edited));
    return this.queue.push(sample.uid, sample.state, (state) => this.send(sample.uid, state, edited));
  }

  private async send(uid: string, state: string, { labels, boxes, sources, shapes = [] }: Edited) {
    const boxed = this.store.dataset.value?.box_tensor != null;
    const args = { uid, labels, sources, state, ...(boxed ? { boxes } : {}) };
    const more = shapes.length > 0 ? { shapes } : {};
    let left: string | null = null;
    const reply = await this.edits.applyNow("edit.labels", { ...args, ...more }, (now, buffers) => {
      if (now.sample?.uid !== uid) return;
      left = now.sample.state;
      this.receive(withShapes(now.sample, buffers));
    });
    if (reply !== null) return left ?? state;
    await this.lookAgain(uid);
    return null;
  }

  /** What the kernel says of a sample after an edit; edits that follow it stay on show. */
  private receive(now: ShownSample): void {
    const shown = this.sample.peek();
    const known = shown?.uid === now.uid ? shown : this.cache.get(now.uid);
    if (known === undefined) return;
    const newer = this.queue.waitingOf(now.uid) > 1;
    const { labels, boxes, drawn } = newer ? known : now;
    this.take({ ...now, labels, boxes, drawn, position: known.position });
  }

  private take(sample: ShownSample): void {
    this.cache.change(sample);
    if (this.sample.peek()?.uid === sample.uid) this.sample.value = sample;
  }

  /** Start on a sample that was on show before the page was loaded again. */
  begin(uid: string): void {
    this.uid = uid;
  }

  /** Open on a sample, at its place in the grid where it has one. */
  async showSample(uid: string): Promise<void> {
    this.opened.value = true;
    await this.fetch({ uid });
    const position = this.sample.value?.uid === uid ? this.sample.value.position : -1;
    if (position < 0) return;
    this.settled = position;
    this.store.current.value = position;
  }

  /** After a refusal the sample is shown as it is: it may have changed. */
  private async lookAgain(uid: string): Promise<void> {
    if (!this.store.isLive.value) return;
    if (this.sample.value?.uid === uid) await this.fetch({ uid, ...at(this.sample.value.position) }, true);
    else this.cache.renew(this.store.grid.value?.token ?? "");
  }

  /** The data changed: the sample on show stays there where it still is in the grid, wherever that is. */
  private async stayOn(uid: string, position: number): Promise<void> {
    const { store } = this;
    try {
      const { result, buffers } = await store.rpc.call("sample.get", { uid, position }, { lane: "sample" });
      if (result.sample.position < 0) {
        await this.fetch({ position: Math.min(position, store.gridSize.value - 1) });
        return;
      }
      this.arrive(result.sample, buffers);
    } catch (failure) {
      if (isCancelled(failure)) return;
      await this.fetch({ position });
    }
  }

  dispose(): void {
    this.pendingSave.flush();
    this.stop();
    this.stopClauses();
    this.ahead.stop();
    this.keys.dispose();
    this.show(null, null);
    this.cache.clear();
  }

  private async fetch(which: { position: number } | { uid: string; position?: number }, again = false): Promise<void> {
    this.waiting.value = true;
    this.awaited = null;
    try {
      const { result, buffers } = await this.store.rpc.call("sample.get", which, { lane: "sample" });
      const { sample } = result;
      if (again)
        this.show(withShapes(sample, buffers), this.cache.put(withShapes(sample, buffers), buffers[sample.image]));
      else this.arrive(sample, buffers);
    } catch (failure) {
      if (isCancelled(failure)) return;
      const dropped = this.keys.drop();
      this.show(null, null);
      this.fault.value = failure instanceof RpcFailure ? failure.error.message : String(failure);
      if (dropped > 0)
        this.store.announcement.value = "The sample could not be loaded; the keys you pressed had no effect";
    }
  }

  /** Show an answer of the kernel, at the position that it has now; edits on their way stay on show. */
  private arrive(answer: SampleDetail, buffers: readonly DataView[]): void {
    const { store } = this;
    const fetched = withShapes(answer, buffers);
    const shown = this.sample.peek();
    const known = shown?.uid === answer.uid ? shown : this.cache.get(answer.uid);
    const pending = known !== undefined && this.queue.waitingOf(answer.uid) > 0;
    const sample = pending ? { ...known, position: answer.position } : fetched;
    this.show(sample, this.cache.put(sample, buffers[answer.image]));
    if (answer.position >= 0 && answer.position !== store.current.peek()) {
      this.settled = answer.position;
      store.current.value = answer.position;
    }
    this.prepare();
  }

  /** Ask for the samples that are likely next: one step on, one more, and one back. */
  private prepare(): void {
    const position = this.sample.peek()?.position ?? -1;
    if (position < 0 || !this.opened.peek() || this.store.dataset.peek()?.image_tensor == null) this.ahead.stop();
    else this.fetchAhead(position);
  }

  private fetchAhead(from: number): void {
    const missing = this.near(from).filter((position) => !this.cache.has(position));
    this.ahead.want(missing, [from]);
    this.loadNear(from);
  }

  private loadNear(from: number): void {
    this.loadImages(this.near(from).flatMap((position) => this.cache.urlAt(position) ?? []));
  }

  private near(from: number): number[] {
    const steps = [this.direction, 2 * this.direction, -this.direction];
    return steps.map((by) => from + by).filter((one) => one >= 0 && one < this.store.gridSize.peek());
  }

  private receiveAhead(position: number, answer: Reply<"sample.get"> | null): void {
    if (position === this.awaited) {
      this.awaited = null;
      if (answer === null) void this.fetch({ position });
      else this.arrive(answer.result.sample, answer.buffers);
    } else if (answer !== null && this.queue.waitingOf(answer.result.sample.uid) === 0) {
      const { result, buffers } = answer;
      this.cache.put(withShapes(result.sample, buffers), buffers[result.sample.image]);
      this.loadNear(this.sample.peek()?.position ?? position);
    }
  }

  private show(sample: ShownSample | null, url: string | null): void {
    const another = sample === null || sample.uid !== this.sample.peek()?.uid;
    this.uid = sample?.uid ?? null;
    batch(() => {
      this.fault.value = null;
      this.sample.value = sample;
      this.url.value = url;
      if (another) {
        this.selectedBox.value = null;
        this.selectedPoint.value = null;
        this.drawing.value = false;
        this.showBefore.value = false;
      }
      this.waiting.value = false;
    });
  }
}

function clausesOf(query: QueryState | null): string {
  return query === null ? "" : JSON.stringify(query.clauses.map(({ expression }) => expression));
}

/** A position to send: none where the sample is not shown in the grid. */
function at(position: number): { position?: number } {
  return position < 0 ? {} : { position };
}
