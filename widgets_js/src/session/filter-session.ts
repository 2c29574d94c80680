// Filters of the grid, and their way into the query: conditions are dropped from WHERE, the filter and the selection are
// written into it. A gesture shows at once what was asked for; the kernel's answer settles it.
import { countText } from "../ui/number-text.ts";
import { EVERYTHING, withClass, withState } from "./grid-filter.ts";
import { receiveGrid } from "./grid-state.ts";
import type { GridFilter, SampleState } from "./protocol.ts";
import type { QuerySession } from "./query-session.ts";
import type { Actions, FilterAction, Store } from "./store.ts";

type FilterActions = Pick<Actions, FilterAction>;

export class FilterSession {
  /** What is selected must be known to the kernel before it is written into the query. */
  beforeNarrow: () => void = () => {};
  private readonly store: Omit<Store, "actions">;
  private readonly query: QuerySession;

  constructor(store: Omit<Store, "actions">, query: QuerySession) {
    this.store = store;
    this.query = query;
  }

  actions(): FilterActions {
    const now = (): GridFilter => this.store.filter.value;
    return {
      filterClass: (index, { add = false } = {}) => this.show(withClass(now(), index, add)),
      filterHow: (how) => this.show({ ...now(), how }),
      filterState: (state, on) => this.setState(state, on),
      clearFilter: () => this.show(EVERYTHING),
      updateGrid: () => this.show(now(), false),
      dropCondition: (condition) => this.dropCondition(condition),
      narrow: (by) => this.narrow(by),
    };
  }

  private async setState(state: SampleState, on: boolean): Promise<void> {
    const wanted = withState(this.store.filter.value, state, on);
    if (state !== "unreadable" || !on) return this.show(wanted);
    this.store.filter.value = wanted;
    if ((await this.checkImages()) && this.store.filter.value.states.includes(state)) {
      await this.show(this.store.filter.value);
    } else if (this.store.grid.value !== null) this.store.filter.value = this.store.grid.value.filter;
  }

  /** Images are read beside everything else: thousands of links take long, and nobody waits for them. */
  private async checkImages(): Promise<boolean> {
    const { store } = this;
    const onProgress = (done: number, total: number | null): void => {
      store.busy.value = `looking for unreadable images: ${countText(done)} of ${countText(total ?? done)}`;
    };
    try {
      await store.rpc.call("grid.check_images", {}, { lane: "images", onProgress });
      return true;
    } catch (failure) {
      this.query.failed(failure);
      return false;
    } finally {
      store.busy.value = null;
    }
  }

  /** `asked`: another filter; else the one there is, anew, with the sample on show kept. */
  private async show(wanted: GridFilter, asked = true): Promise<void> {
    const { store } = this;
    const { classes, how, states } = wanted;
    store.filter.value = wanted;
    try {
      const args = { classes: [...classes], how, states: [...states] };
      const { result } = await store.rpc.call("grid.filter", args, { lane: "filter" });
      receiveGrid(store, result.grid, asked);
      this.query.announce(`${countText(result.grid.size)} of ${countText(this.poolSize())} samples shown`);
    } catch (failure) {
      if (store.filter.value === wanted) store.filter.value = store.grid.value?.filter ?? EVERYTHING;
      this.query.failed(failure);
    }
  }

  private poolSize(): number {
    return this.store.query.value?.pool_size ?? 0;
  }

  private async dropCondition(condition: number): Promise<void> {
    try {
      const text = this.query.ranText();
      const { result } = await this.store.rpc.call("query.without", { text, condition });
      await this.query.runBeside(result.text);
    } catch (failure) {
      this.query.failed(failure);
    }
  }

  private async narrow(by: "filter" | "selection"): Promise<void> {
    this.beforeNarrow();
    await this.query.narrow(by);
  }
}
