// Edits of labels and boxes. The stack of edits lives in the kernel and survives a reload; the browser only names it.
import { batch } from "@preact/signals";
import type { EditReply, Ops } from "./protocol.ts";
import type { QuerySession } from "./query-session.ts";
import { decodeStatistics } from "./statistics-arrays.ts";
import type { Actions, Store, Toast } from "./store.ts";

type EditOp =
  | "edit.labels"
  | "edit.bulk"
  | "edit.new_class"
  | "edit.undo"
  | "edit.redo"
  | "edit.commit"
  | "edit.discard";

const TOAST_MS = 6000;

export class EditSession {
  private readonly store: Omit<Store, "actions">;
  private readonly query: QuerySession;
  private toastTimer: ReturnType<typeof setTimeout> | undefined;

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

  /** Ask the kernel for an edit; its reply is the new truth. Null when it was refused, which is then announced. */
  async apply<O extends EditOp>(op: O, args: Ops[O][0]): Promise<EditReply | null> {
    try {
      const { result, buffers } = await this.store.rpc.call(op, args);
      const reply = result as EditReply;
      batch(() => this.receive(op, reply, buffers));
      return reply;
    } catch (failure) {
      this.query.failed(failure);
      return null;
    }
  }

  dispose(): void {
    clearTimeout(this.toastTimer);
  }

  /** A line at the bottom for a few seconds. */
  showToast(toast: Toast): void {
    this.store.toast.value = toast;
    clearTimeout(this.toastTimer);
    if (toast.bad) return;
    this.toastTimer = setTimeout(() => {
      this.store.toast.value = null;
    }, TOAST_MS);
  }

  private receive(op: EditOp, reply: EditReply, buffers: DataView[]): void {
    const { store } = this;
    store.dataset.value = reply.dataset;
    if (reply.statistics !== null) {
      const query = store.query.value;
      store.statistics.value = decodeStatistics(reply.statistics, buffers);
      const pool = reply.statistics.num_rows;
      if (query !== null) {
        store.query.value = { ...query, statistics: reply.statistics, pool_size: pool, draws: reply.draws };
      }
      this.keepPlace(reply.pool_size);
    }
    store.keepTiles.value = true;
    store.gridEpoch.value++;
    const undone = op === "edit.undo";
    this.showToast({ text: reply.done, undo: !undone && op !== "edit.commit", redo: undone });
    store.announcement.value = reply.done;
  }

  /** An edit can move a sample out of the query: the next one takes its place in the grid and the detail. */
  private keepPlace(shown: number): void {
    const { current, gridSize } = this.store;
    gridSize.value = shown;
    if (current.value !== null && current.value >= shown) current.value = shown > 0 ? shown - 1 : null;
  }
}
