// Pages of tiles: one request for each visible page, cancelled when it is scrolled past, the last ones kept. The cache
// owns the object URLs of the thumbnails and gives them back when a page falls out.
import { signal } from "@preact/signals";
import { canRetry } from "./problems.ts";
import type { Tile } from "./protocol.ts";
import { isCancelled, type Rpc, RpcFailure } from "./rpc.ts";
import { readShapes, type Shapes } from "./shapes.ts";

export const PAGE = 48;
const KEPT_PAGES = 40;
const MAX_IN_FLIGHT = 8;

export interface LoadedTile extends Tile {
  url: string | null;
  drawn: Shapes;
}

interface Page {
  tiles: LoadedTile[];
  fault: string | null;
}

export function pagesOf(start: number, stop: number): number[] {
  if (stop <= start) return [];
  const first = Math.floor(start / PAGE);
  return Array.from({ length: Math.floor((stop - 1) / PAGE) - first + 1 }, (_, i) => first + i);
}

export class PageCache {
  /** Bumped when a page arrives: what a view subscribes to. */
  readonly arrivals = signal(0);
  private readonly rpc: Rpc;
  private readonly pages = new Map<number, Page>(); // in order of last use
  private readonly flights = new Map<number, AbortController>();
  private stale = new Map<number, Page>(); // shown until their successors arrive
  private key = "";
  private count = 0;

  constructor(rpc: Rpc) {
    this.rpc = rpc;
  }

  /** Pages of another epoch, size or sort are out of date; until the new ones come the old tiles stay on screen. */
  configure(key: string, count: number, keepShown: boolean): void {
    this.count = count;
    if (key === this.key) return;
    this.key = key;
    this.abortAll();
    this.release(this.stale);
    this.stale = keepShown ? new Map(this.pages) : new Map();
    if (!keepShown) this.release(this.pages);
    this.pages.clear();
  }

  /** Reading subscribes: whoever asks is drawn again when a page arrives. */
  tile(position: number): LoadedTile | undefined {
    this.arrivals.value;
    const page = Math.floor(position / PAGE);
    const within = position % PAGE;
    return this.pages.get(page)?.tiles[within] ?? this.stale.get(page)?.tiles[within];
  }

  /** Why the page of `position` could not be fetched, else null. */
  fault(position: number): string | null {
    this.arrivals.value;
    return this.pages.get(Math.floor(position / PAGE))?.fault ?? null;
  }

  /** Fetch what `wanted` lacks and cancel what is on its way but no longer wanted. */
  want(wanted: readonly number[], size: number): void {
    for (const [page, abort] of this.flights) {
      if (!wanted.includes(page)) abort.abort();
    }
    for (const page of wanted) {
      this.touch(page);
      if (this.flights.size < MAX_IN_FLIGHT && !this.pages.has(page) && !this.flights.has(page)) {
        void this.fetch(page, size);
      }
    }
  }

  /** Ask again for the page of `position`, or for every page with a tile that may be there now; what is shown stays. */
  retry(position?: number): void {
    const again = position === undefined ? [...this.pages.keys()] : [Math.floor(position / PAGE)];
    for (const page of again) {
      const held = this.pages.get(page);
      if (held === undefined || (position === undefined && !isFailed(held))) continue;
      this.pages.delete(page);
      if (held.tiles.length > 0) this.stale.set(page, held);
    }
    this.arrivals.value++;
  }

  /** Why access to images was denied, of the first tile that says so, else null. */
  refusal(): string | null {
    this.arrivals.value;
    for (const { tiles } of this.pages.values()) {
      const refused = tiles.find(({ problem }) => problem === "refused");
      if (refused !== undefined) return refused.error;
    }
    return null;
  }

  dispose(): void {
    this.abortAll();
    this.release(this.pages);
    this.release(this.stale);
    this.pages.clear();
    this.stale.clear();
  }

  private async fetch(page: number, size: number): Promise<void> {
    const abort = new AbortController();
    const { key } = this;
    this.flights.set(page, abort);
    const start = page * PAGE;
    const args = { start, stop: Math.min(start + PAGE, this.count), size };
    try {
      const { result, buffers } = await this.rpc.call("grid.page", args, { signal: abort.signal });
      if (key === this.key) this.keep(page, { tiles: result.tiles.map((tile) => withUrl(tile, buffers)), fault: null });
    } catch (failure) {
      if (key === this.key && !isCancelled(failure)) this.keep(page, { tiles: [], fault: reason(failure) });
    } finally {
      if (this.flights.get(page) === abort) this.flights.delete(page);
      this.arrivals.value++;
    }
  }

  private keep(page: number, loaded: Page): void {
    this.pages.set(page, loaded);
    const old = this.stale.get(page);
    if (old !== undefined) {
      this.stale.delete(page);
      releasePage(old);
    }
    while (this.pages.size > KEPT_PAGES) {
      const [oldest, dropped] = this.pages.entries().next().value as [number, Page];
      this.pages.delete(oldest);
      releasePage(dropped);
    }
  }

  private touch(page: number): void {
    const held = this.pages.get(page);
    if (held === undefined) return;
    this.pages.delete(page);
    this.pages.set(page, held);
  }

  private abortAll(): void {
    for (const abort of this.flights.values()) abort.abort();
    this.flights.clear();
  }

  private release(pages: Map<number, Page>): void {
    for (const page of pages.values()) releasePage(page);
  }
}

function isFailed({ tiles, fault }: Page): boolean {
  return fault !== null || tiles.some(({ problem }) => canRetry(problem));
}

function releasePage(page: Page): void {
  for (const tile of page.tiles) if (tile.url !== null) URL.revokeObjectURL(tile.url);
}

function withUrl(tile: Tile, buffers: readonly DataView[]): LoadedTile {
  const drawn = readShapes(buffers[tile.shapes], Math.max(tile.width, tile.height), false);
  return { ...tile, url: imageUrl(buffers[tile.image]), drawn };
}

/** An object URL of a JPEG from the kernel; the type is ours, never the data's. */
export function imageUrl(bytes: DataView | undefined): string | null {
  if (bytes === undefined || bytes.byteLength === 0) return null;
  return URL.createObjectURL(new Blob([bytes as DataView<ArrayBuffer>], { type: "image/jpeg" }));
}

function reason(failure: unknown): string {
  return failure instanceof RpcFailure ? failure.error.message : String(failure);
}
