// Edits of labels and boxes. The stack of edits lives in the kernel and survives a reload; the browser only names it.
import { batch } from "@preact/signals";
import type { ChosenEdits, EditReply, Ops, RpcError } from "./protocol.ts";
import type { QuerySession } from "./query-session.ts";
import { RpcFailure } from "./rpc.ts";
import type { Actions, Store, Toast } from "./store.ts";

export type EditOp =
  | "edit.labels"
  | "edit.bulk"
  | "edit.new_class"
  | "classes.rename"
  | "classes.merge"
  | "classes.remove"
  | "classes.recolor"
  | "edit.undo"
  | "edit.redo"
  | "edit.commit"
  | "edit.discard"
  | "draft.take_over"
  | "draft.branch"
  | "dataset.update";

const FINAL: ReadonlySet<EditOp> = new Set(["edit.commit", "draft.take_over", "draft.branch", "dataset.update"]);

/** How long a line stays: as long as it takes to notice and to read it; longer where it is the only way to do something. */
export function readingTime({ text, action }: Pick<Toast, "text" | "action">): number {
  return Math.min(12_000, 2000 + 60 * text.length + (action === undefined ? 0 : 4000));
}

/** An error as a sentence, with its hint. */
export function inWords({ message, hint }: RpcError): string {
  const sentence = `${message.charAt(0).toUpperCase()}${message.slice(1)}`;
  return `${sentence}${sentence.endsWith(".") ? "" : "."}${hint ? ` Hint: ${hint}.` : ""}`;
}

export class EditSession {
  private readonly store: Omit<Store, "actions">;
  private readonly query: QuerySession;
  private toastTimer: ReturnType<typeof setTimeout> | undefined;
  /** Sends the edits of the sample that wait for keys to rest, and waits for those on their way; null if there are none. */
  settle: () => Promise<unknown> | null = () => null;

  constructor(store: Omit<Store, "actions">, query: QuerySession) {
    this.store = store;
    this.query = query;
  }

  actions(): Pick<Actions, "undo" | "redo"> {
    return {
      undo: async () => {
        await this.apply("edit.undo", {});
      },
      redo: async () => {
        await this.apply("edit.redo", {});
      },
    };
  }

  /** Ask the kernel for an edit, after those made before; its reply is the new truth. Null when it was refused, which is then announced. */
  async apply<O extends EditOp>(op: O, args: Ops[O][0]): Promise<EditReply | null> {
    const before = this.settle();
    if (before !== null) await before;
    return this.applyNow(op, args);
  }

  async applyNow<O extends EditOp>(
    op: O,
    args: Ops[O][0],
    take?: (reply: EditReply, buffers: DataView[]) => void,
  ): Promise<EditReply | null> {
    try {
      const { result, buffers } = await this.store.rpc.call(op, args);
      const reply = result as EditReply;
      batch(() => {
        take?.(reply, buffers);
        this.receive(op, reply, buffers);
      });
      return reply;
    } catch (failure) {
      this.failed(failure);
      return null;
    }
  }

  /** Ask for an edit whose refusal has a place of its own: the reason in words, null where it was done. */
  async tryTo<O extends EditOp>(op: O, args: Ops[O][0]): Promise<string | null> {
    const before = this.settle();
    if (before !== null) await before;
    try {
      const { result, buffers } = await this.store.rpc.call(op, args);
      batch(() => this.receive(op, result as EditReply, buffers));
      return null;
    } catch (failure) {
      if (!(failure instanceof RpcFailure) || failure.error.code === "NoKernel") this.failed(failure);
      return failure instanceof RpcFailure ? inWords(failure.error) : String(failure);
    }
  }

  /** Commit; a conflict with another session comes back, to be decided, and is no failure. */
  async commit(
    message: string,
    onConflict?: "ours" | "theirs",
    which: ChosenEdits & { token?: string } = {},
  ): Promise<EditReply | RpcError | null> {
    const before = this.settle();
    if (before !== null) await before;
    const args = { message, ...which, ...(onConflict === undefined ? {} : { on_conflict: onConflict }) };
    try {
      const { result, buffers } = await this.store.rpc.call("edit.commit", args);
      batch(() => this.receive("edit.commit", result, buffers));
      return result;
    } catch (failure) {
      if (failure instanceof RpcFailure && failure.error.conflicts !== undefined) return failure.error;
      this.failed(failure);
      return null;
    }
  }

  dispose(): void {
    clearTimeout(this.toastTimer);
  }

  /** A line over the foot of the grid until it is read. */
  showToast(toast: Toast): void {
    this.store.toast.value = toast;
    this.leaveToast();
  }

  /** The pointer or the focus is on it: it stays. */
  holdToast(): void {
    clearTimeout(this.toastTimer);
  }

  /** Nobody points at it: it goes when it is read. */
  leaveToast(): void {
    clearTimeout(this.toastTimer);
    const toast = this.store.toast.peek();
    if (toast === null || toast.bad) return;
    this.toastTimer = setTimeout(() => this.dismissToast(), readingTime(toast));
  }

  dismissToast(): void {
    clearTimeout(this.toastTimer);
    this.store.toast.value = null;
  }

  private failed(failure: unknown): void {
    if (failure instanceof RpcFailure && failure.error.unanswered) this.store.unanswered.value = true;
    this.query.failed(failure);
  }

  private receive(op: EditOp, reply: EditReply, buffers: DataView[]): void {
    this.query.receiveDisplay(reply, buffers);
    const undone = op === "edit.undo";
    this.showToast({ text: reply.done, undo: !undone && !FINAL.has(op), redo: undone });
    this.store.announcement.value = reply.done;
  }
}
