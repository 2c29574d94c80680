// A model without a kernel, for a page that Python wrote as one file: it answers from what was written into the page.
import type { Model } from "../session/model.ts";
import type { Ops, RpcError, Tile, WidgetState } from "../session/protocol.ts";

interface KeptReply {
  result: unknown;
  buffers: string[]; // base64
}

/** What penstock/widgets/_html.py writes into the page; bytes are base64. */
export interface PageContent {
  state: Omit<Partial<WidgetState>, "weights"> & { weights: string };
  code: string; // gzip of the bundle
  replies: Partial<Record<keyof Ops, KeptReply>>;
  tiles: { reply: Tile; jpeg: string; shapes: string }[];
  token: string;
}

interface Request {
  id: string;
  op: keyof Ops | "cancel";
  args: Record<string, unknown>;
}

type Listener = (...args: unknown[]) => void;

const NOT_HERE: RpcError = {
  code: "StaticPage",
  message: "This page is a copy without a kernel. Run the notebook to do this.",
};

export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function viewsOf(list: readonly string[]): DataView[] {
  return list.map((base64) => new DataView(bytesOf(base64).buffer));
}

function placed(tile: Tile, at: number): Tile {
  return { ...tile, image: tile.image < 0 ? -1 : at, shapes: tile.shapes < 0 ? -1 : at + 1 };
}

/** Shapes of the grid in the form of one sample: each x and y in pixels, as numbers of 64 bits. */
function inFull(bytes: Uint8Array<ArrayBuffer>): DataView {
  return new DataView(Float64Array.from(new Int16Array(bytes.buffer)).buffer);
}

/** The page's answer to a request; null where only a kernel could answer. */
export function answer(page: PageContent, { op, args }: Request): { result: unknown; buffers: DataView[] } | null {
  if (op === "grid.page") {
    const kept = page.tiles.slice(Number(args.start), Number(args.stop));
    const tiles = kept.map(({ reply }, i) => placed(reply, 2 * i));
    const result: Ops["grid.page"][1] = { tiles, pool_size: page.tiles.length, token: page.token };
    return { result, buffers: viewsOf(kept.flatMap(({ jpeg, shapes }) => [jpeg, shapes])) };
  }
  if (op === "sample.get") {
    const found = page.tiles.find(({ reply }) => reply.position === args.position || reply.uid === args.uid);
    if (found === undefined) return null;
    const result: Ops["sample.get"][1] = {
      sample: { ...placed(found.reply, 0), fields: [], state: "", before: null, note: null, clauses: null, weight: 1 },
    };
    return { result, buffers: [...viewsOf([found.jpeg]), inFull(bytesOf(found.shapes))] };
  }
  const kept = op === "cancel" ? undefined : page.replies[op];
  return kept === undefined ? null : { result: kept.result, buffers: viewsOf(kept.buffers) };
}

export class StaticModel implements Model {
  private readonly page: PageContent;
  private readonly state: Record<string, unknown>;
  private readonly listeners = new Map<string, Listener[]>();

  constructor(page: PageContent) {
    this.page = page;
    this.state = { ...page.state, weights: viewsOf([page.state.weights])[0] };
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
    const request = content as Request;
    if (request.op === "cancel") return;
    const found = answer(this.page, request);
    const reply = {
      v: 1,
      id: request.id,
      ...(found ? { ok: true, result: found.result } : { ok: false, error: NOT_HERE }),
    };
    queueMicrotask(() => this.emit("msg:custom", reply, found?.buffers ?? []));
  }

  private emit(name: string, ...args: unknown[]): void {
    for (const listener of this.listeners.get(name) ?? []) listener(...args);
  }
}
