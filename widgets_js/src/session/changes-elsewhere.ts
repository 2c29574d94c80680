// What an edit, Python or another widget changed of what is displayed. Sliders that the kernel has not heard of are newer.
import { batch } from "@preact/signals";
import { movedClasses, renamedText, renamesInWords } from "./followed.ts";
import { poolText, sameButWeights } from "./live-text.ts";
import type { Display, FollowedClasses, QueryState } from "./protocol.ts";
import type { Store } from "./store.ts";
import type { WeightHistory } from "./weight-history.ts";
import type { WeightSender } from "./weight-sender.ts";

const REST_MS = 50;

/** The query that changes where others change it. */
export interface FollowingQuery {
  readonly store: Omit<Store, "actions">;
  onFollowed: (message: string) => void;
  apply(display: Display, buffers: DataView[], asked: boolean): void;
  replaceText(text: string): void;
  announce(text: string): void;
  failed(failure: unknown): void;
}

export class ChangesElsewhere {
  private readonly query: FollowingQuery;
  private readonly history: WeightHistory;
  private readonly sender: WeightSender;
  private waiting: ReturnType<typeof setInterval> | undefined;
  /** The last change of classes that was taken. */
  private followed = 0;

  constructor(query: FollowingQuery, history: WeightHistory, sender: WeightSender) {
    this.query = query;
    this.history = history;
    this.sender = sender;
  }

  /** Changes count from those of a query that the kernel has sent. */
  begin({ followed }: QueryState): void {
    this.followed = followed?.number ?? 0;
  }

  /** What an edit, Python or another widget changed. In the middle of a gesture it waits: its weights are older. */
  receive(display: Display, buffers: DataView[]): void {
    if (this.sender.isAhead) {
      this.askLater();
      return;
    }
    const mine = this.query.store.query.value;
    const { query } = display;
    const renames = this.renamesOf(query);
    const same = mine !== null && (renames !== null || sameButWeights(mine, query));
    const typed = same ? this.draftOver(renames === null ? query : mine) : null;
    const draft = typed === null ? null : renamedText(typed, renames ?? []);
    if (mine !== null && !same) this.query.announce("The query was changed elsewhere.");
    if (renames !== null && mine !== null && mine.text !== query.text) this.query.onFollowed(renamesInWords(renames));
    if (renames !== null) this.history.rename(renames);
    batch(() => {
      if (renames !== null) this.followClasses(query.followed?.classes ?? null);
      this.query.apply(display, buffers, mine === null || poolText(mine.text) !== poolText(query.text));
      if (draft !== null) this.query.replaceText(draft);
    });
  }

  /** The classes renamed since the query on show, else null; each change counts once. */
  private renamesOf({ followed }: QueryState): FollowedClasses["renames"] | null {
    if (followed === null || followed.number <= this.followed) return null;
    this.followed = followed.number;
    return followed.renames;
  }

  private followClasses(classes: number[] | null): void {
    const { hiddenClasses } = this.query.store;
    hiddenClasses.value = movedClasses(hiddenClasses.value, classes);
  }
  /** What was typed into the editor and has not run, else null. */
  private draftOver(query: QueryState): string | null {
    const { text, clauses, textFault } = this.query.store;
    const typed = textFault.value !== null || !sameButWeights({ text: text.value, clauses: clauses.value }, query);
    return typed ? text.value : null;
  }

  /** When the sliders rest, take what arrived meanwhile. */
  private askLater(): void {
    if (this.waiting !== undefined) return;
    this.waiting = setInterval(() => {
      if (this.sender.isAhead) return;
      this.stop();
      void this.catchUp();
    }, REST_MS);
  }

  stop(): void {
    clearInterval(this.waiting);
    this.waiting = undefined;
  }

  private async catchUp(): Promise<void> {
    try {
      await this.sender.now();
      const { result, buffers } = await this.query.store.rpc.call("hello", {}, { lane: "hello" });
      this.receive(result, buffers);
    } catch (failure) {
      this.query.failed(failure);
    }
  }
}
