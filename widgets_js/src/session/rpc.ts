// Requests from one view to the kernel. Replies reach every view of the widget, so ids carry a random view id, and a reply
// to another view is read for its news only; a request in a lane cancels the one before it in that lane, whose answer never
// arrives late.
import type { Model } from "./model.ts";
import { asDataViews } from "./model.ts";
import type { EventMessage, Ops, RpcError } from "./protocol.ts";

export interface Reply<O extends keyof Ops> {
  result: Ops[O][1];
  buffers: DataView[];
}

export interface CallOptions {
  lane?: string;
  signal?: AbortSignal;
  onProgress?: (done: number, total: number | null, what: string) => void;
}

/** The kernel's answer was an error, or there is no kernel to answer. */
export class RpcFailure extends Error {
  readonly error: RpcError;
  constructor(error: RpcError) {
    super(error.message);
    this.name = "RpcFailure";
    this.error = error;
  }
}

export function isCancelled(failure: unknown): boolean {
  return failure instanceof RpcFailure && failure.error.code === "Cancelled";
}

interface Pending {
  resolve: (reply: { result: unknown; buffers: DataView[] }) => void;
  reject: (failure: RpcFailure) => void;
  onProgress: CallOptions["onProgress"];
}

type Incoming =
  | { v: 1; id: string; ok: true; result: object; news?: "query" | "grid" | "dataset" }
  | { v: 1; id: string; ok: false; error: RpcError }
  | EventMessage;

function randomViewId(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(2)), (word) => word.toString(16).padStart(8, "0")).join("");
}

const CANCELLED: RpcError = { code: "Cancelled", message: "cancelled" };
const NO_KERNEL: RpcError = { code: "NoKernel", message: "the kernel does not answer" };
const ENDED: RpcError = { code: "NoKernel", message: "the kernel ended before it answered", unanswered: true };

export class Rpc {
  readonly viewId = randomViewId();
  onEvent: (event: EventMessage, buffers: DataView[]) => void = () => {};
  private counter = 0;
  private readonly model: Model;
  private readonly pending = new Map<string, Pending>();
  private readonly lanes = new Map<string, string>();
  private readonly listener = (message: Incoming, buffers?: readonly unknown[]): void =>
    this.receive(message, asDataViews(buffers));

  constructor(model: Model) {
    this.model = model;
    model.on("msg:custom", this.listener as (...args: never[]) => void);
  }

  call<O extends keyof Ops>(op: O, args: Ops[O][0], options: CallOptions = {}): Promise<Reply<O>> {
    const id = `${this.viewId}:${++this.counter}`;
    if (options.signal?.aborted) return Promise.reject(new RpcFailure(CANCELLED));
    if (options.lane !== undefined) this.takeLane(options.lane, id);
    const promise = new Promise<Reply<O>>((resolve, reject) => {
      this.pending.set(id, { resolve: resolve as Pending["resolve"], reject, onProgress: options.onProgress });
    });
    options.signal?.addEventListener("abort", () => this.cancel(id), { once: true });
    this.send({ v: 1, id, op, args }, id);
    return promise;
  }

  cancel(id: string): void {
    const request = this.take(id);
    if (request === undefined) return;
    this.send({ v: 1, id, op: "cancel", args: {} });
    request.reject(new RpcFailure(CANCELLED));
  }

  cancelLane(lane: string): void {
    const id = this.lanes.get(lane);
    if (id !== undefined) this.cancel(id);
  }

  dispose(): void {
    this.model.off("msg:custom", this.listener as (...args: never[]) => void);
    for (const id of [...this.pending.keys()]) this.cancel(id);
  }

  private takeLane(lane: string, id: string): void {
    this.cancelLane(lane);
    this.lanes.set(lane, id);
  }

  private take(id: string): Pending | undefined {
    const request = this.pending.get(id);
    this.pending.delete(id);
    return request;
  }

  /** `model.send` throws after a kernel restart and is missing in static pages: both mean no kernel, and no answer to
   * what was sent to the one before. */
  private send(message: object, id?: string): void {
    try {
      if (this.model.send === undefined) throw new Error("static page");
      this.model.send(message);
    } catch {
      if (id !== undefined) this.take(id)?.reject(new RpcFailure(NO_KERNEL));
      for (const sent of [...this.pending.keys()]) this.take(sent)?.reject(new RpcFailure(ENDED));
    }
  }

  private receive(message: Incoming, buffers: DataView[]): void {
    if (message?.v !== 1) return;
    if ("event" in message) this.receiveEvent(message, buffers);
    else this.receiveReply(message, buffers);
  }

  private receiveEvent(message: EventMessage, buffers: DataView[]): void {
    if (message.event === "progress") {
      this.pending.get(message.id)?.onProgress?.(message.done, message.total, message.what);
    } else {
      this.onEvent(message, buffers);
    }
  }

  private receiveReply(message: Exclude<Incoming, EventMessage>, buffers: DataView[]): void {
    const request = this.take(message.id);
    if (request === undefined) this.receiveNews(message, buffers);
    else if (message.ok) request.resolve({ result: message.result, buffers });
    else request.reject(new RpcFailure(message.error));
  }

  /** Another view's request, or one of ours that was cancelled too late, has changed what is displayed. */
  private receiveNews(message: Exclude<Incoming, EventMessage>, buffers: DataView[]): void {
    if (!message.ok || message.news === undefined || this.isSuperseded(message.id)) return;
    this.onEvent({ v: 1, event: message.news, ...message.result } as EventMessage, buffers);
  }

  /** The answer to a newer request in its lane is on its way. */
  private isSuperseded(id: string): boolean {
    return id.startsWith(`${this.viewId}:`) && ![...this.lanes.values()].includes(id);
  }
}
