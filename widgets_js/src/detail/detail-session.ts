// The sample on show: fetched for the current position, replaced by what an edit returns.
import { batch, effect, signal } from "@preact/signals";
import { imageUrl } from "../grid/page-cache.ts";
import { debounce } from "../shared/debounce.ts";
import type { EditSession } from "../shared/edit-session.ts";
import type { SampleDetail } from "../shared/protocol.ts";
import { isCancelled, RpcFailure } from "../shared/rpc.ts";
import type { Store } from "../shared/store.ts";
import type { Annotations } from "./labels.ts";

export class DetailSession {
  readonly sample = signal<SampleDetail | null>(null);
  readonly url = signal<string | null>(null);
  readonly fault = signal<string | null>(null);
  readonly waiting = signal(false);
  readonly selectedBox = signal<number | null>(null);
  readonly drawing = signal(false);
  readonly showBefore = signal(false);
  readonly drawClass = signal<number | null>(null);
  private readonly pendingSave = debounce((save: () => void) => save(), 400);
  private readonly store: Omit<Store, "actions">;
  private readonly edits: EditSession;
  private readonly stop: () => void;
  private uid: string | null = null;

  constructor(store: Omit<Store, "actions">, edits: EditSession) {
    this.store = store;
    this.edits = edits;
    this.stop = effect(() => {
      const position = store.current.value;
      store.gridEpoch.value;
      if (!store.isLive.value) return;
      if (position === null) this.show(null, null);
      else void this.fetch(position);
    });
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
  async change({ labels, boxes }: Annotations): Promise<boolean> {
    const sample = this.sample.value;
    if (sample === null || this.store.dataset.value?.read_only !== false) return false;
    const boxed = this.store.dataset.value.box_tensor !== null;
    const args = { uid: sample.uid, labels, ...(boxed ? { boxes } : {}) };
    const reply = await this.edits.apply("edit.labels", args);
    if (reply?.sample?.uid === this.sample.value?.uid && reply?.sample != null) {
      this.sample.value = { ...reply.sample, position: sample.position };
    }
    return reply !== null;
  }

  dispose(): void {
    this.pendingSave.flush();
    this.stop();
    this.show(null, null);
  }

  private async fetch(position: number): Promise<void> {
    this.waiting.value = true;
    try {
      const { result, buffers } = await this.store.rpc.call("sample.get", { position }, { lane: "sample" });
      const { sample } = result;
      this.show(sample, imageUrl(buffers[Math.max(0, sample.image)]));
    } catch (failure) {
      if (isCancelled(failure)) return;
      this.show(null, null);
      this.fault.value = failure instanceof RpcFailure ? failure.error.message : String(failure);
    }
  }

  private show(sample: SampleDetail | null, url: string | null): void {
    const old = this.url.peek();
    batch(() => {
      this.fault.value = null;
      this.waiting.value = false;
      this.sample.value = sample;
      this.url.value = url;
      if (sample === null || sample.uid !== this.uid) {
        this.selectedBox.value = null;
        this.drawing.value = false;
        this.showBefore.value = false;
      }
    });
    this.uid = sample?.uid ?? null;
    if (old !== null && old !== url) URL.revokeObjectURL(old);
  }
}
