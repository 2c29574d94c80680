// What the grid remembers: tiles, selection, display options. Selection travels as intervals, debounced.
import { batch, effect, type Signal, signal } from "@preact/signals";
import { debounce } from "../shared/debounce.ts";
import type { Actions, Store } from "../shared/store.ts";
import * as intervals from "./intervals.ts";
import { PageCache } from "./page-cache.ts";

export type CellSize = "small" | "medium" | "large";
export type GridSort = "query" | "row" | "labels";

export class GridSession {
  readonly pages: PageCache;
  readonly selection: Signal<intervals.Intervals> = signal([]);
  readonly size = signal<CellSize>("medium");
  readonly boxes = signal(true);
  readonly sort = signal<GridSort>("query");
  /** The detail panel puts itself here: Enter on a tile takes the focus there. */
  openDetail: () => void = () => {};
  private anchor = 0;
  private readonly store: Omit<Store, "actions">;
  private readonly announce: Actions["announce"];
  private readonly tell = debounce(() => this.send(), 100);
  private readonly stop: () => void;

  constructor(store: Omit<Store, "actions">, announce: Actions["announce"]) {
    this.store = store;
    this.announce = announce;
    this.pages = new PageCache(store.rpc);
    let size = -1;
    this.stop = effect(() => {
      const now = store.gridSize.value;
      if (now !== size && this.selection.peek().length > 0) this.select([]);
      size = now;
    });
  }

  pick(position: number, event: { shiftKey: boolean; ctrlKey: boolean; metaKey: boolean }): void {
    if (event.ctrlKey || event.metaKey) {
      this.toggle(position);
      this.store.current.value = position;
    } else this.go(position, event.shiftKey);
  }

  /** Make `position` the current one; with `extend` the selection runs from where the last plain step was. */
  go(position: number, extend: boolean): void {
    this.store.current.value = position;
    if (!extend) {
      this.anchor = position;
      return;
    }
    this.select([[Math.min(this.anchor, position), Math.max(this.anchor, position) + 1]]);
  }

  /** The kernel keeps the order: pages and samples are counted in it. */
  async sortBy(sort: GridSort): Promise<void> {
    this.sort.value = sort;
    await this.store.rpc.call("grid.page", { start: 0, stop: 0, size: 128, sort }, { lane: "sort" }).catch(() => {});
    batch(() => {
      this.select([]);
      this.store.keepTiles.value = false;
      this.store.gridEpoch.value++;
      this.store.current.value = this.store.gridSize.value > 0 ? 0 : null;
    });
  }

  toggle(position: number): void {
    this.anchor = position;
    this.select(intervals.toggle(this.selection.value, position));
  }

  selectAll(): void {
    this.select([[0, this.store.gridSize.value]]);
  }

  clear(): void {
    if (this.selection.value.length > 0) this.select([]);
  }

  dispose(): void {
    this.stop();
    this.tell.cancel();
    this.pages.dispose();
  }

  private select(selection: intervals.Intervals): void {
    this.selection.value = selection;
    this.tell();
  }

  private send(): void {
    if (!this.store.isLive.value) return;
    const args = { intervals: this.selection.value.map(([start, stop]): [number, number] => [start, stop]) };
    this.store.rpc.call("select.set", args, { lane: "select" }).then(
      ({ result }) => this.announce(`${result.count} selected`),
      () => {},
    );
  }
}
