// The columns of what the query returns and their profiles: asked for as they come into view, the old ones shown until the
// new ones arrive.
import { batch, signal } from "@preact/signals";
import type { ColumnInfo, ColumnProfile } from "../session/protocol.ts";
import { isCancelled, RpcFailure } from "../session/rpc.ts";
import type { Session } from "../session/session.ts";

const AT_ONCE = 4;

export class Columns {
  readonly list = signal<readonly ColumnInfo[] | null>(null);
  /** Rows of the table: samples that the grid shows, or rows of a table result. */
  readonly numRows = signal(0);
  readonly profiles = signal<ReadonlyMap<string, ColumnProfile>>(new Map());
  /** Why there is nothing, in words. */
  readonly fault = signal<string | null>(null);
  private readonly session: Session;
  private key: unknown = null;
  private listed: unknown = null;
  private data = "";
  private fresh = new Set<string>();
  private wanted: readonly string[] = [];
  private busy = false;

  constructor(session: Session) {
    this.session = session;
  }

  /** Another query or another state of the data: all is asked for anew. */
  configure(key: unknown): void {
    if (key === this.key) return;
    this.key = key;
    this.fresh = new Set();
    void this.loadList(key);
  }

  /** Profile these columns first. */
  want(names: readonly string[]): void {
    this.wanted = names;
    void this.pump();
  }

  /** Run the query with these bars selected, or without, where they are. */
  async filter(name: string, first: number, last: number): Promise<void> {
    const { store } = this.session;
    const args = { text: store.text.peek(), name, first, last, data: this.data };
    try {
      const { result } = await store.rpc.call("columns.filter", args, { lane: "columns.filter" });
      await store.actions.run({ text: result.text });
    } catch (failure) {
      if (!isCancelled(failure)) this.session.toast(reason(failure));
    }
  }

  private async loadList(key: unknown): Promise<void> {
    try {
      const { result } = await this.session.store.rpc.call("columns.list", {}, { lane: "columns.list" });
      if (key !== this.key) return;
      this.listed = key;
      batch(() => {
        this.fault.value = null;
        this.list.value = result.columns;
        this.numRows.value = result.num_rows;
        const names = new Set(result.columns.map(({ name }) => name));
        this.profiles.value = new Map([...this.profiles.value].filter(([name]) => names.has(name)));
      });
      void this.pump();
    } catch (failure) {
      if (key !== this.key || isCancelled(failure)) return;
      this.drop([...this.profiles.value.keys()]);
      this.fault.value = reason(failure);
    }
  }

  /** Counts of another query are not shown as those of this one. */
  private drop(names: readonly string[]): void {
    for (const name of names) this.fresh.add(name);
    const gone = new Set(names);
    this.profiles.value = new Map([...this.profiles.value].filter(([name]) => !gone.has(name)));
  }

  /** One request at a time: what comes into view meanwhile goes first. */
  private async pump(): Promise<void> {
    if (this.busy || this.listed !== this.key) return; // names of another query mean nothing now
    const known = new Set(this.list.peek()?.map(({ name }) => name));
    const names = this.wanted.filter((name) => known.has(name) && !this.fresh.has(name)).slice(0, AT_ONCE);
    if (names.length === 0) return;
    const { key } = this;
    this.busy = true;
    try {
      const { result } = await this.session.store.rpc.call("columns.profile", { names });
      if (key === this.key) this.keep(result.profiles, result.data);
    } catch (failure) {
      if (key === this.key && !isCancelled(failure)) {
        this.drop(names);
        this.fault.value = reason(failure);
      }
    } finally {
      this.busy = false;
    }
    void this.pump();
  }

  private keep(profiles: readonly ColumnProfile[], data: string): void {
    this.data = data;
    for (const { name } of profiles) this.fresh.add(name);
    this.profiles.value = new Map([...this.profiles.value, ...profiles.map((one) => [one.name, one] as const)]);
  }
}

const OF_SESSION = new WeakMap<Session, Columns>();

/** The columns of a session: its table and its menu show the same. */
export function columnsOf(session: Session): Columns {
  let columns = OF_SESSION.get(session);
  if (columns === undefined) {
    columns = new Columns(session);
    OF_SESSION.set(session, columns);
  }
  return columns;
}

export function reason(failure: unknown): string {
  return failure instanceof RpcFailure ? failure.error.message : String(failure);
}
