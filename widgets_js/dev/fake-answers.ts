// What the scripted kernel answers with.
export type Answer = { result: unknown; buffers: ArrayBuffer[] };
// biome-ignore lint/suspicious/noExplicitAny: arguments of every operation; the contract types them on both real sides
export type Arguments = any;
export type Handlers = Record<string, (args: Arguments) => Answer | Promise<Answer>>;

export function reply(result: unknown): Answer {
  return { result, buffers: [] };
}
