// The sample on show: fetched for the current position, replaced by what an edit returns.
import { batch, effect, signal, untracked } from "@preact/signals";
import { debounce } from "../ui/debounce.ts";
import type { EditSession } from "./edit-session.ts";
import type { Annotations, Edited } from "./labels.ts";
import { imageUrl } from "./page-cache.ts";
import type { SampleDetail } from "./protocol.ts";
import { isCancelled, RpcFailure } from "./rpc.ts";
import { type Point, readShapes, type Shapes } from "./shapes.ts";
import type { Store } from "./store.ts";

/** A sample with its outlines and keypoints. */
export interface ShownSample extends Omit<SampleDetail, "before"> {
  drawn: Shapes;
  before: (Annotations & { drawn: Shapes }) | null;
}

export class DetailSession {
  readonly sample = signal<ShownSample | null>(null);
  readonly url = signal<string | null>(null);
  readonly fault = signal<string | null>(null);
  readonly waiting = signal(false);
  readonly selectedBox = signal<number | null>(null);
  /** A vertex or keypoint of one of the boxes. */
  readonly selectedPoint = signal<{ box: number; point: Point } | null>(null);
  readonly drawing = signal(false);
  readonly showBefore = signal(false);
  readonly drawClass = signal<number | null>(null);
  /** The stage shows edits that no reply has yet: some are on their way, or keys have not come to rest. */
  readonly ahead = signal(false);
  private readonly pendingSave = debounce((save: () => void) => save(), 400);
  private restless = false;
  private onTheirWay = 0;
  private last: Promise<boolean> = Promise.resolve(true);
  private refusals = 0;
  /** The state of the sample that the stage's boxes were made from. */
  private base: { uid: string; state: SampleDetail["state"] } | null = null;
  private readonly store: Omit<Store, "actions">;
  private readonly edits: EditSession;
  private readonly stop: () => void;
  private uid: string | null = null;
  private epoch = -1;
  /** Where the sample on show is found now; going there fetches nothing. */
  private settled: number | null = null;

  constructor(store: Omit<Store, "actions">, edits: EditSession) {
    this.store = store;
    this.edits = edits;
    edits.settle = () => this.settle();
    this.stop = effect(() => {
      const position = store.current.value;
      const epoch = store.gridEpoch.value;
      if (store.isLive.value) untracked(() => this.follow(position, epoch));
    });
  }

  private follow(position: number | null, epoch: number): void {
    const renewed = epoch !== this.epoch;
    this.epoch = epoch;
    if (position !== null && !renewed && position === this.settled) return;
    this.pendingSave.flush();
    this.settled = null;
    if (position === null) this.show(null, null);
    else if (renewed && this.store.stay.value && this.uid !== null) void this.stayOn(this.uid, position);
    else void this.fetch({ position });
  }

  /** The class a drawn box gets: the one chosen last, else the sample's first. Null where boxes carry no class. */
  drawLabel(): number | null {
    if (this.store.dataset.value?.label_tensor == null) return null;
    return this.drawClass.value ?? this.sample.value?.labels[0] ?? 0;
  }

  /** Keys that repeat make one edit: it is sent when they rest, or before anything else is. */
  saveSoon(save: () => void): void {
    this.restless = true;
    this.pendingSave(save);
    this.count(0);
  }

  /** Send what waits for keys to rest; null if nothing is on its way. */
  private settle(): Promise<unknown> | null {
    this.pendingSave.flush();
    return this.onTheirWay > 0 ? this.last : null;
  }

  private count(by: 1 | 0 | -1): void {
    this.onTheirWay += by;
    this.ahead.value = this.restless || this.onTheirWay > 0;
  }

  /** Change the sample as it is after the edits before. */
  async edit(make: (sample: ShownSample) => Edited): Promise<boolean> {
    const uid = this.sample.value?.uid;
    await this.settle();
    const sample = this.sample.value;
    return sample !== null && sample.uid === uid && this.change(make(sample));
  }

  /** Send changed labels and boxes, after the edits before; the reply's sample is shown at once. */
  change(edited: Edited): Promise<boolean> {
    const sample = this.sample.value;
    this.pendingSave.cancel();
    this.restless = false;
    if (sample === null || this.store.dataset.value?.read_only !== false) {
      this.count(0);
      return Promise.resolve(false);
    }
    const refusals = this.refusals;
    const first = this.onTheirWay === 0;
    this.count(1);
    const sent = first
      ? this.send(sample, edited)
      : this.last.then(() => this.refusals === refusals && this.send(sample, edited));
    this.last = sent;
    return sent.finally(() => this.count(-1));
  }

  private async send(sample: ShownSample, { labels, boxes, sources, shapes = [] }: Edited): Promise<boolean> {
    const { uid } = sample;
    const state = this.base?.uid === uid ? this.base.state : sample.state;
    const boxed = this.store.dataset.value?.box_tensor != null;
    const args = { uid, labels, sources, state, ...(boxed ? { boxes } : {}) };
    const more = shapes.length > 0 ? { shapes } : {};
    const reply = await this.edits.applyNow("edit.labels", { ...args, ...more }, (now, buffers) => {
      if (now.sample?.uid !== uid) return;
      this.base = { uid, state: now.sample.state };
      if (uid === this.sample.value?.uid)
        this.sample.value = { ...withShapes(now.sample, buffers), position: this.sample.value.position };
    });
    if (reply !== null) return true;
    this.refusals += 1; // edits made on top of it are not sent
    this.base = null;
    await this.lookAgain(uid);
    return false;
  }

  /** Start on a sample that was on show before the page was loaded again. */
  begin(uid: string): void {
    this.uid = uid;
  }

  /** Show a sample, at its place in the grid where it has one. */
  async showSample(uid: string): Promise<void> {
    await this.fetch({ uid });
    const position = this.sample.value?.uid === uid ? this.sample.value.position : -1;
    if (position < 0) return;
    this.settled = position;
    this.store.current.value = position;
  }

  /** After a refusal the sample is shown as it is: it may have changed. */
  private async lookAgain(uid: string): Promise<void> {
    if (this.sample.value?.uid === uid && this.store.isLive.value)
      await this.fetch({ uid, ...at(this.sample.value.position) });
  }

  /** The data changed: the sample on show stays there where it still is in the grid, wherever that is. */
  private async stayOn(uid: string, position: number): Promise<void> {
    try {
      const { result, buffers } = await this.store.rpc.call("sample.get", { uid, position }, { lane: "sample" });
      if (result.sample.position < 0) {
        await this.fetch({ position: Math.min(position, this.store.gridSize.value - 1) });
        return;
      }
      this.show(withShapes(result.sample, buffers), imageUrl(buffers[result.sample.image]));
      this.settled = result.sample.position;
      this.store.current.value = result.sample.position;
    } catch (failure) {
      if (isCancelled(failure)) return;
      await this.fetch({ position });
    }
  }

  dispose(): void {
    this.pendingSave.flush();
    this.stop();
    this.show(null, null);
  }

  private async fetch(which: { position: number } | { uid: string; position?: number }): Promise<void> {
    this.waiting.value = true;
    try {
      const { result, buffers } = await this.store.rpc.call("sample.get", which, { lane: "sample" });
      const { sample } = result;
      this.show(withShapes(sample, buffers), imageUrl(buffers[sample.image]));
    } catch (failure) {
      if (isCancelled(failure)) return;
      this.show(null, null);
      this.fault.value = failure instanceof RpcFailure ? failure.error.message : String(failure);
    }
  }

  private show(sample: ShownSample | null, url: string | null): void {
    const old = this.url.peek();
    if (!(this.ahead.peek() && sample !== null && sample.uid === this.base?.uid))
      this.base = sample && { uid: sample.uid, state: sample.state };
    batch(() => {
      this.fault.value = null;
      this.waiting.value = false;
      this.sample.value = sample;
      this.url.value = url;
      if (sample === null || sample.uid !== this.uid) {
        this.selectedBox.value = null;
        this.selectedPoint.value = null;
        this.drawing.value = false;
        this.showBefore.value = false;
      }
    });
    this.uid = sample?.uid ?? null;
    if (old !== null && old !== url) URL.revokeObjectURL(old);
  }
}

function withShapes(sample: SampleDetail, buffers: readonly DataView[]): ShownSample {
  const read = (at: number): Shapes => readShapes(buffers[at], Math.max(sample.width, sample.height), true);
  const before = sample.before && { ...sample.before, drawn: read(sample.before.shapes) };
  return { ...sample, drawn: read(sample.shapes), before };
}

/** A position to send: none where the sample is not shown in the grid. */
function at(position: number): { position?: number } {
  return position < 0 ? {} : { position };
}
