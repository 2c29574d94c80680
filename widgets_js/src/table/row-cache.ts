// Pages of a table's rows: those in view, a part of the columns at a time; cancelled when scrolled past.
import { signal } from "@preact/signals";
import type { TableRow } from "../session/protocol.ts";
import { isCancelled, type Rpc } from "../session/rpc.ts";
import { reason } from "./columns.ts";

export const ROWS = 64;
export const COLUMNS = 16;
const KEPT = 120;
const MAX_IN_FLIGHT = 6;

type Page = TableRow[] | string; // or why there are none

/** Parts of the table, by page of rows and part of columns. */
export function partsOf(rows: readonly [number, number], columns: readonly [number, number]): [number, number][] {
  if (rows[1] <= rows[0] || columns[1] <= columns[0]) return [];
  const range = (start: number, stop: number, size: number): number[] => {
    const first = Math.floor(start / size);
    return Array.from({ length: Math.floor((stop - 1) / size) - first + 1 }, (_, i) => first + i);
  };
  return range(...rows, ROWS).flatMap((page) =>
    range(...columns, COLUMNS).map((part): [number, number] => [page, part]),
  );
}

export class RowCache {
  readonly arrivals = signal(0);
  private readonly rpc: Rpc;
  private readonly pages = new Map<string, Page>();
  private readonly flights = new Map<string, AbortController>();
  private stale = new Map<string, Page>();
  private key = "";
  private total = 0;
  private names: readonly string[] = [];

  constructor(rpc: Rpc) {
    this.rpc = rpc;
  }

  configure(key: string, total: number, names: readonly string[], keepShown: boolean): void {
    this.total = total;
    this.names = names;
    if (key === this.key) return;
    this.key = key;
    for (const abort of this.flights.values()) abort.abort();
    this.flights.clear();
    this.stale = keepShown ? new Map(this.pages) : new Map();
    this.pages.clear();
  }

  /** Reading subscribes: whoever asks is drawn again when a page arrives. */
  row(position: number, part: number): TableRow | undefined {
    this.arrivals.value;
    const key = `${Math.floor(position / ROWS)}/${part}`;
    const page = this.pages.get(key) ?? this.stale.get(key);
    return typeof page === "object" ? page[position % ROWS] : undefined;
  }

  fault(position: number, part: number): string | null {
    this.arrivals.value;
    const page = this.pages.get(`${Math.floor(position / ROWS)}/${part}`);
    return typeof page === "string" ? page : null;
  }

  want(parts: readonly [number, number][]): void {
    const keys = new Set(parts.map(([page, part]) => `${page}/${part}`));
    for (const [key, abort] of this.flights) if (!keys.has(key)) abort.abort();
    for (const [page, part] of parts) {
      const key = `${page}/${part}`;
      const held = this.pages.get(key);
      if (held !== undefined) {
        this.pages.delete(key);
        this.pages.set(key, held);
      } else if (!this.flights.has(key) && this.flights.size < MAX_IN_FLIGHT) void this.fetch(key, page, part);
    }
  }

  dispose(): void {
    for (const abort of this.flights.values()) abort.abort();
  }

  private async fetch(place: string, page: number, part: number): Promise<void> {
    const abort = new AbortController();
    const { key } = this;
    this.flights.set(place, abort);
    const start = page * ROWS;
    const names = this.names.slice(part * COLUMNS, (part + 1) * COLUMNS);
    const args = { start, stop: Math.min(start + ROWS, this.total), names: [...names] };
    try {
      const { result } = await this.rpc.call("table.rows", args, { signal: abort.signal });
      if (key === this.key) this.keep(place, result.rows);
    } catch (failure) {
      if (key === this.key && !isCancelled(failure)) this.keep(place, reason(failure));
    } finally {
      if (this.flights.get(place) === abort) this.flights.delete(place);
      this.arrivals.value++;
    }
  }

  private keep(place: string, page: Page): void {
    this.pages.set(place, page);
    this.stale.delete(place);
    while (this.pages.size > KEPT) this.pages.delete(this.pages.keys().next().value as string);
  }
}
