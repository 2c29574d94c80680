// What the grid remembers: tiles, selection, display options. Selection travels as intervals, debounced.
import { effect, type Signal, signal } from "@preact/signals";
import { debounce } from "../ui/debounce.ts";
import { countText } from "../ui/number-text.ts";
import { receiveGrid } from "./grid-state.ts";
import * as intervals from "./intervals.ts";
import { PageCache } from "./page-cache.ts";
import type { GridSort, PanelState } from "./protocol.ts";
import { RpcFailure } from "./rpc.ts";
import type { Actions, Store } from "./store.ts";

export type CellSize = NonNullable<PanelState["tiles"]>;
export type { GridSort };

export class GridSession {
  readonly pages: PageCache;
  readonly selection: Signal<intervals.Intervals> = signal([]);
  readonly size = signal<CellSize>("medium");
  readonly boxes = signal(true);
  readonly sort = signal<GridSort>("query");
  readonly descending = signal(false);
  /** Selected samples, those that are not shown too. */
  readonly numSelected = signal(0);
  /** Take the sample over the whole region, to be labeled. */
  openDetail: () => void = () => {};
  /** The grid puts itself here. */
  focus: () => void = () => {};
  /** A sample was chosen, by key or in what is open; `soon`: by a click, which a second one may follow. */
  onChosen: (soon?: boolean) => void = () => {};
  private anchor = 0;
  private token = "";
  private unsent = false;
  /** A gesture replaced what was selected, also what the grid does not show; single samples join and leave it. */
  private replaced = false;
  private readonly store: Omit<Store, "actions">;
  private readonly announce: Actions["announce"];
  private readonly tell = debounce(() => this.send(), 100);
  private readonly stop: () => void;

  constructor(store: Omit<Store, "actions">, announce: Actions["announce"]) {
    this.store = store;
    this.announce = announce;
    this.pages = new PageCache(store.rpc);
    this.stop = effect(() => {
      const now = store.grid.value;
      if (now === null) return;
      this.sort.value = now.sort;
      this.descending.value = now.descending;
      if (this.unsent && now.token === this.token) return; // what is being selected is newer
      this.tell.cancel();
      this.unsent = false;
      this.token = now.token;
      this.selection.value = now.selection;
      this.numSelected.value = now.num_selected;
    });
  }

  pick(position: number, event: { shiftKey: boolean; ctrlKey: boolean; metaKey: boolean }): void {
    if (event.ctrlKey || event.metaKey) {
      this.toggle(position);
      this.onChosen(true);
      this.store.current.value = position;
    } else this.go(position, event.shiftKey, true);
  }

  /** Make `position` the current one; with `extend` the selection runs from where the last plain step was. */
  go(position: number, extend: boolean, clicked = false): void {
    this.onChosen(clicked);
    this.store.current.value = position;
    if (!extend) {
      this.anchor = position;
      return;
    }
    this.select([[Math.min(this.anchor, position), Math.max(this.anchor, position) + 1]]);
  }

  /** The kernel keeps the order: pages and samples are counted in it. */
  async sortBy(sort: GridSort, descending?: boolean): Promise<void> {
    try {
      const args = { sort, ...(descending === undefined ? {} : { descending }) };
      const { result } = await this.store.rpc.call("grid.sort", args, { lane: "sort" });
      receiveGrid(this.store, result.grid, true);
    } catch (failure) {
      this.sort.value = this.store.grid.value?.sort ?? "query";
      if (failure instanceof RpcFailure && failure.error.code !== "Cancelled") this.announce(failure.error.message);
    }
  }

  toggle(position: number): void {
    this.anchor = position;
    this.select(intervals.toggle(this.selection.value, position), true);
  }

  selectAll(): void {
    this.select([[0, this.store.gridSize.value]]);
  }

  clear(): void {
    if (this.numSelected.value > 0) this.select([]);
  }

  dispose(): void {
    this.stop();
    this.tell.cancel();
    this.pages.dispose();
  }

  private select(selection: intervals.Intervals, keepHidden = false): void {
    if (!this.unsent) this.replaced = false;
    if (!keepHidden) this.replaced = true;
    const hidden = this.replaced ? 0 : Math.max(0, this.numSelected.value - intervals.size(this.selection.value));
    this.selection.value = selection;
    this.numSelected.value = intervals.size(selection) + hidden;
    this.unsent = true;
    this.tell();
  }

  private send(): void {
    if (!this.store.isLive.value) return;
    this.unsent = false;
    const { grid } = this.store;
    const pairs = this.selection.value.map(([start, stop]): [number, number] => [start, stop]);
    const args = {
      intervals: pairs,
      keep_hidden: !this.replaced,
      ...(grid.value === null ? {} : { token: grid.value.token }),
    };
    this.store.rpc.call("select.set", args, { lane: "select" }).then(
      ({ result }) => {
        receiveGrid(this.store, result.grid, false);
        this.announce(`${countText(result.grid.num_selected)} selected`);
      },
      (failure) => this.refused(failure),
    );
  }

  /** The samples have changed under the selection: what the kernel has selected is shown again. */
  private refused(failure: unknown): void {
    if (!(failure instanceof RpcFailure) || failure.error.code === "Cancelled") return;
    const now = this.store.grid.value;
    this.selection.value = now?.selection ?? [];
    this.numSelected.value = now?.num_selected ?? 0;
    this.announce(failure.error.message);
  }

  /** What is selected must be known to the kernel before something is done to it. */
  settle(): void {
    this.tell.flush();
  }
}
