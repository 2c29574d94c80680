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
  private readonly pendingSave = debounce((save: () => void) => save(), 400);
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

  /** Keys that repeat make one edit: it is sent when they rest. */
  saveSoon(save: () => void): void {
    this.pendingSave(save);
  }

  /** Send changed labels and boxes; the reply's sample is shown at once. */
  async change({ labels, boxes, sources, shapes = [] }: Edited): Promise<boolean> {
    const sample = this.sample.value;
    if (sample === null || this.store.dataset.value?.read_only !== false) return false;
    const boxed = this.store.dataset.value.box_tensor !== null;
    const args = { uid: sample.uid, labels, sources, state: sample.state, ...(boxed ? { boxes } : {}) };
    const more = shapes.length > 0 ? { shapes } : {};
    const reply = await this.edits.apply("edit.labels", { ...args, ...more }, (now, buffers) => {
      if (now.sample != null && now.sample.uid === this.sample.value?.uid)
        this.sample.value = { ...withShapes(now.sample, buffers), position: sample.position };
    });
    if (reply === null) await this.lookAgain(sample.uid);
    return reply !== null;
  }

  /** Start on a sample that was on show before the page was loaded again. */
  begin(uid: string): void {
    this.uid = uid;
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
