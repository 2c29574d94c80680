// A host's model for tests: traits in a plain object, and what was sent in a list.
import type { Model } from "../src/session/model.ts";
import type { WidgetState } from "../src/session/protocol.ts";

type Listener = (...args: never[]) => void;

export interface Request {
  v: 1;
  id: string;
  op: string;
  args: Record<string, unknown>;
}

export class FakeModel implements Model {
  readonly sent: Request[] = [];
  saves = 0;
  onSend: (request: Request) => void = () => {};
  private readonly listeners = new Map<string, Set<Listener>>();
  private readonly state: Partial<WidgetState>;

  constructor(state: Partial<WidgetState> = {}) {
    this.state = { _kind: "explorer", ...state };
  }

  get<K extends keyof WidgetState>(key: K): WidgetState[K] | undefined {
    return this.state[key];
  }

  set<K extends keyof WidgetState>(key: K, value: WidgetState[K]): void {
    this.state[key] = value;
    this.emit(`change:${key}`);
  }

  save_changes(): void {
    this.saves++;
  }

  send(content: unknown): void {
    this.sent.push(content as Request);
    this.onSend(content as Request);
  }

  on(name: string, callback: Listener): void {
    if (!this.listeners.has(name)) this.listeners.set(name, new Set());
    this.listeners.get(name)?.add(callback);
  }

  off(name: string, callback: Listener): void {
    this.listeners.get(name)?.delete(callback);
  }

  emit(name: string, ...args: unknown[]): void {
    for (const listener of this.listeners.get(name) ?? []) listener(...(args as never[]));
  }

  reply(id: string, result: unknown, buffers: unknown[] = []): void {
    this.emit("msg:custom", { v: 1, id, ok: true, result }, buffers);
  }

  refuse(id: string, error: object): void {
    this.emit("msg:custom", { v: 1, id, ok: false, error }, []);
  }
}
