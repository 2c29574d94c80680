// The weights on their way to the kernel, which hears of sliders at rest.
import { debounce } from "../ui/debounce.ts";
import type { Store } from "./store.ts";
import { EchoFilter } from "./weight-memory.ts";

const REST_MS = 50;

export class WeightSender {
  /** The query that ran, with the weights of now. */
  private readonly text: () => string;
  private readonly failed: (failure: unknown) => void;
  private readonly store: Omit<Store, "actions">;
  private readonly echoes = new EchoFilter();
  private readonly soon = debounce(() => this.now().catch(this.failed), REST_MS);
  /** A change that has not been sent; and the last one sent, until it is answered. */
  private unsent = false;
  private unanswered: Promise<unknown> | null = null;

  constructor(store: Omit<Store, "actions">, text: () => string, failed: (failure: unknown) => void) {
    this.store = store;
    this.text = text;
    this.failed = failed;
  }

  /** The sliders stand where the kernel does not know them yet: what it sends is older than they are. */
  get isAhead(): boolean {
    return this.store.dragging.value || this.unsent || this.unanswered !== null;
  }

  /** Whether weights from the kernel are news: not while a slider moves, nor where they are our own. */
  isNews(weights: Float64Array): boolean {
    return !this.store.dragging.value && !this.unsent && !this.echoes.isEcho(weights);
  }

  /** At rest. */
  later(): void {
    this.unsent = true;
    this.soon();
  }

  async now(): Promise<void> {
    const { store } = this;
    this.soon.cancel();
    this.unsent = false;
    if (!store.isLive.value || store.query.value?.kind !== "rows") return;
    const weights = Array.from(store.weights.value);
    const args = { weights, text: this.text(), mode: store.mode.value, seed: store.seed.value };
    this.echoes.tell(weights);
    const answer = store.rpc.call("weights.set", args, { lane: "weights" });
    this.unanswered = answer;
    try {
      await answer;
    } finally {
      if (this.unanswered === answer) this.unanswered = null;
    }
  }

  /** What would be sent goes with something else. */
  cancel(): void {
    this.soon.cancel();
    this.unsent = false;
  }

  /** The answer that is waited for is of a kernel that is gone. */
  forget(): void {
    this.unanswered = null;
  }

  flush(): void {
    this.soon.flush();
  }
}
