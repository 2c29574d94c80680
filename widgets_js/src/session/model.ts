// What a host gives a view: anywidget's model, narrowed to what we use. Everything that may be missing is optional.
import type { WidgetState } from "./protocol.ts";

export interface Model {
  get<K extends keyof WidgetState>(key: K): WidgetState[K] | undefined;
  set<K extends keyof WidgetState>(key: K, value: WidgetState[K]): void;
  save_changes(): void;
  send?(content: unknown, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
  on(name: string, callback: (...args: never[]) => void): void;
  off(name: string, callback: (...args: never[]) => void): void;
  widget_manager?: unknown;
}

export interface ViewContext {
  model: Model;
  el: HTMLElement;
  signal?: AbortSignal;
}

/** Buffers as DataViews, whatever the host made of them. */
export function asDataViews(buffers: readonly unknown[] | undefined): DataView[] {
  return (buffers ?? []).map((buffer) => {
    if (buffer instanceof DataView) return buffer;
    if (ArrayBuffer.isView(buffer)) return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    if (buffer instanceof ArrayBuffer) return new DataView(buffer);
    return new DataView(new ArrayBuffer(0));
  });
}
