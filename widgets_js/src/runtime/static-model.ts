// A model without a kernel, for a page that Python wrote as one file: a kernel of the page's own answers.
import type { Model } from "../session/model.ts";
import type { WidgetState } from "../session/protocol.ts";
import type { KeptColumns } from "./page/columns.ts";
import type { KeptDraws } from "./page/draws.ts";
import { type Answer, PageKernel } from "./page/kernel.ts";
import { type PackedSamples, type PackedTile, Samples, unpackTiles } from "./page/samples.ts";

/** What penstock/widgets/_html.py writes into the page; bytes are base64. */
export interface PageContent {
  state: Omit<Partial<WidgetState>, "weights"> & { weights: string };
  code: string; // gzip of the bundle
  extra: string; // gzip of its second file
  hello: { result: object; buffers: string[] };
  tiles: PackedTile[];
  samples: PackedSamples | null;
  columns?: KeptColumns;
  draws?: KeptDraws | null;
}

interface Request {
  id: string;
  op: string;
  args: object;
}

type Listener = (...args: unknown[]) => void;

interface FromBase64 {
  fromBase64?: (text: string) => Uint8Array<ArrayBuffer>;
}

/** Tens of megabytes: browsers that decode them themselves take a tenth of the time. */
export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const { fromBase64 } = Uint8Array as FromBase64;
  if (fromBase64 !== undefined) return fromBase64.call(Uint8Array, base64);
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

function viewOf(base64: string): DataView {
  return new DataView(bytesOf(base64).buffer);
}

/** The kernel of a page; `tiles` and `samples` are the unpacked bytes. */
export function kernelOf(page: PageContent, tiles: ArrayBuffer, samples: ArrayBuffer): PageKernel {
  const hello: Answer = { result: page.hello.result, buffers: page.hello.buffers.map(viewOf) };
  const held = page.samples === null ? null : new Samples(page.samples, samples);
  return new PageKernel(hello, held, unpackTiles(page.tiles, tiles), viewOf(page.extra), page.columns, page.draws);
}

export class StaticModel implements Model {
  private readonly kernel: PageKernel;
  private readonly state: Record<string, unknown>;
  private readonly listeners = new Map<string, Listener[]>();

  constructor(state: PageContent["state"], kernel: PageKernel) {
    this.kernel = kernel;
    this.state = { ...state, weights: viewOf(state.weights) };
  }

  get<K extends keyof WidgetState>(key: K): WidgetState[K] | undefined {
    return this.state[key] as WidgetState[K] | undefined;
  }

  set<K extends keyof WidgetState>(key: K, value: WidgetState[K]): void {
    this.state[key] = value;
    this.emit(`change:${key}`);
  }

  save_changes(): void {}

  on(name: string, listener: (...args: never[]) => void): void {
    this.listeners.set(name, [...(this.listeners.get(name) ?? []), listener as Listener]);
  }

  off(name: string, listener: (...args: never[]) => void): void {
    const others = (this.listeners.get(name) ?? []).filter((other) => other !== listener);
    this.listeners.set(name, others);
  }

  send(content: unknown): void {
    const { id, op, args } = content as Request;
    if (op === "cancel") return;
    queueMicrotask(() => {
      const found = this.kernel.answer(op, args);
      const answered = "result" in found;
      const reply = answered ? { v: 1, id, ok: true, result: found.result } : { v: 1, id, ok: false, error: found };
      this.emit("msg:custom", reply, answered ? found.buffers : []);
      if (answered && found.event !== undefined) this.emit("msg:custom", found.event, []);
    });
  }

  private emit(name: string, ...args: unknown[]): void {
    for (const listener of this.listeners.get(name) ?? []) listener(...args);
  }
}
