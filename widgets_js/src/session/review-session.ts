// What is not committed, page by page, and which of the edited samples are to be committed. Closing the drawer forgets none
// of it; the draft itself lives in the kernel.
import { batch, computed, effect, type Signal, signal } from "@preact/signals";
import type { EditSession } from "./edit-session.ts";
import { imageUrl } from "./page-cache.ts";
import type { ChosenEdits, EditReply, ReviewEntry, ReviewPage, ReviewSide, RpcError } from "./protocol.ts";
import { isCancelled, RpcFailure } from "./rpc.ts";
import { readShapes, type Shapes } from "./shapes.ts";
import type { Store } from "./store.ts";

export const REVIEW_PAGE = 16;
const KEPT_PAGES = 12;
const SIZE = 128; // pixels of a thumbnail

export interface ShownSide extends ReviewSide {
  url: string | null;
  drawn: Shapes;
}

export interface ShownEntry extends Omit<ReviewEntry, "before" | "after"> {
  before: ShownSide | null;
  after: ShownSide | null;
}

/** Samples whose box is the other way round than that of all the others. */
interface Marks {
  checked: boolean; // the others
  uids: ReadonlySet<string>;
}

const ALL: Marks = { checked: true, uids: new Set() };

export class ReviewSession {
  /** All but the entries; null before the first answer. */
  readonly summary = signal<ReviewPage | null>(null);
  readonly fault = signal<string | null>(null);
  readonly message = signal("");
  readonly conflict = signal<RpcError | null>(null);
  /** When an edit reached the draft last, as far as this view has seen it. */
  readonly savedAt: Signal<Date | null> = signal(null);
  readonly marks = signal<Marks>(ALL);
  /** Edited samples to be committed. */
  readonly numChecked = computed(() => {
    const { checked, uids } = this.marks.value;
    const edited = this.summary.value?.num_edited ?? 0;
    return Math.max(0, Math.min(edited, checked ? edited - uids.size : uids.size));
  });
  private readonly arrivals = signal(0);
  private readonly pages = new Map<number, ShownEntry[]>(); // in order of last use
  private readonly flights = new Map<number, AbortController>();
  private stale = new Map<number, ShownEntry[]>(); // shown until their successors arrive
  private data: string | null = null;
  private open = false;
  private readonly store: Omit<Store, "actions">;
  private readonly edits: EditSession;
  private readonly stop: () => void;

  constructor(store: Omit<Store, "actions">, edits: EditSession) {
    this.store = store;
    this.edits = edits;
    this.stop = effect(() => this.follow());
  }

  private follow(): void {
    const data = this.store.grid.value?.data ?? null;
    const open = this.store.region.value === "review" && this.store.isLive.value;
    if (data !== null && data !== this.data) {
      if (this.data !== null && this.store.dataset.peek()?.uncommitted) this.savedAt.value = new Date();
      this.data = data;
      this.outdate();
      if (open) void this.fetch(0);
    } else if (open && !this.open) void this.fetch(0);
    this.open = open;
  }

  /** Reading subscribes: whoever asks is drawn again when a page arrives. */
  entry(place: number): ShownEntry | undefined {
    this.arrivals.value;
    const page = Math.floor(place / REVIEW_PAGE);
    return (this.pages.get(page) ?? this.stale.get(page))?.[place % REVIEW_PAGE];
  }

  /** Fetch the pages that hold [first, stop), cancel others. */
  want(first: number, stop: number): void {
    const wanted = new Set<number>();
    for (let page = Math.floor(first / REVIEW_PAGE); page * REVIEW_PAGE < stop; page++) wanted.add(page);
    for (const [page, abort] of this.flights) if (!wanted.has(page)) abort.abort();
    for (const page of wanted) {
      const held = this.pages.get(page);
      if (held === undefined) {
        if (!this.flights.has(page)) void this.fetch(page);
      } else {
        this.pages.delete(page);
        this.pages.set(page, held);
      }
    }
  }

  isChecked(uid: string): boolean {
    const { checked, uids } = this.marks.value;
    return uids.has(uid) ? !checked : checked;
  }

  toggle(uid: string): void {
    const { checked, uids } = this.marks.value;
    const others = new Set(uids);
    if (!others.delete(uid)) others.add(uid);
    this.marks.value = { checked, uids: others };
  }

  toggleAll(): void {
    const all = this.numChecked.value === (this.summary.value?.num_edited ?? 0);
    this.marks.value = { checked: !all, uids: new Set() };
  }

  private chosen(): ChosenEdits {
    const { checked, uids } = this.marks.peek();
    if (!checked) return { only: [...uids] };
    return uids.size === 0 ? {} : { keep: [...uids] };
  }

  /** True when it is committed; a conflict with another session is kept to be decided. */
  async commit(choice?: "ours" | "theirs"): Promise<boolean> {
    const { token } = this.summary.peek() ?? {};
    const seen = token === undefined || choice !== undefined ? {} : { token };
    const reply = await this.edits.commit(this.message.peek().trim(), choice, { ...this.chosen(), ...seen });
    if (reply === null) return false;
    if ("code" in reply) {
      this.conflict.value = reply;
      return false;
    }
    batch(() => {
      this.conflict.value = null;
      this.message.value = "";
      this.marks.value = ALL;
    });
    return true;
  }

  discard(uid: string): Promise<EditReply | null> {
    return this.edits.apply("edit.discard", { only: [uid] });
  }

  async discardChecked(): Promise<void> {
    if ((await this.edits.apply("edit.discard", this.chosen())) !== null) this.marks.value = ALL;
  }

  dispose(): void {
    this.stop();
    for (const abort of this.flights.values()) abort.abort();
    release(this.pages.values());
    release(this.stale.values());
    this.pages.clear();
    this.stale.clear();
  }

  private outdate(): void {
    for (const abort of this.flights.values()) abort.abort();
    this.flights.clear();
    release(this.stale.values());
    this.stale = new Map(this.pages);
    this.pages.clear();
    this.arrivals.value = this.arrivals.peek() + 1;
  }

  private async fetch(page: number): Promise<void> {
    const abort = new AbortController();
    const { data } = this;
    this.flights.set(page, abort);
    const start = page * REVIEW_PAGE;
    const marked = [...this.marks.peek().uids];
    const args = { start, stop: start + REVIEW_PAGE, size: SIZE, ...(marked.length > 0 ? { marked } : {}) };
    try {
      const { result, buffers } = await this.store.rpc.call("review.page", args, { signal: abort.signal });
      if (data !== this.data) return;
      batch(() => {
        this.fault.value = null;
        this.summary.value = result;
        this.prune(new Set(marked), new Set(result.marked));
        this.keep(
          page,
          result.entries.map((entry) => shown(entry, buffers)),
        );
      });
    } catch (failure) {
      if (data !== this.data || isCancelled(failure)) return;
      this.fault.value = failure instanceof RpcFailure ? failure.error.message : String(failure);
    } finally {
      if (this.flights.get(page) === abort) this.flights.delete(page);
      this.arrivals.value = this.arrivals.peek() + 1;
    }
  }

  /** Forget marks of samples that are no longer edited. */
  private prune(asked: ReadonlySet<string>, still: ReadonlySet<string>): void {
    const { checked, uids } = this.marks.peek();
    const left = new Set([...uids].filter((uid) => !asked.has(uid) || still.has(uid)));
    if (left.size !== uids.size) this.marks.value = { checked, uids: left };
  }

  private keep(page: number, entries: ShownEntry[]): void {
    this.pages.set(page, entries);
    const old = this.stale.get(page);
    if (old !== undefined) {
      this.stale.delete(page);
      release([old]);
    }
    while (this.pages.size > KEPT_PAGES) {
      const [oldest, dropped] = this.pages.entries().next().value as [number, ShownEntry[]];
      this.pages.delete(oldest);
      release([dropped]);
    }
  }
}

function shown(entry: ReviewEntry, buffers: readonly DataView[]): ShownEntry {
  const longest = Math.max(entry.width, entry.height);
  const urls = new Map<number, string | null>();
  const side = (one: ReviewSide | null): ShownSide | null => {
    if (one === null) return null;
    if (!urls.has(one.image)) urls.set(one.image, imageUrl(buffers[one.image]));
    return { ...one, url: urls.get(one.image) ?? null, drawn: readShapes(buffers[one.shapes], longest, false) };
  };
  return { ...entry, before: side(entry.before), after: side(entry.after) };
}

function release(pages: Iterable<ShownEntry[]>): void {
  for (const entries of pages) {
    for (const { before, after } of entries) {
      for (const url of new Set([before?.url, after?.url])) if (url != null) URL.revokeObjectURL(url);
    }
  }
}
