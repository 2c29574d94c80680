// One view's session: it greets the kernel, follows traits and events, and is the only writer of kernel answers into the store.
import { batch, effect, type Signal, signal } from "@preact/signals";
import { debounce } from "../ui/debounce.ts";
import { DetailSession } from "./detail-session.ts";
import { EditSession } from "./edit-session.ts";
import { FilterSession } from "./filter-session.ts";
import { GridSession } from "./grid-session.ts";
import { isArrangedOtherwise, receiveGrid } from "./grid-state.ts";
import { Labeling } from "./labeling.ts";
import { receiveLive } from "./live-state.ts";
import type { Model } from "./model.ts";
import type { EventMessage, PanelState, WidgetState } from "./protocol.ts";
import { QuerySession } from "./query-session.ts";
import { ReviewSession } from "./review-session.ts";
import { isCancelled, Rpc, RpcFailure } from "./rpc.ts";
import { createStore, type Store, type Toast } from "./store.ts";

const HELLO_RETRY_MS = 2000;
const HELLO_LIMIT_MS = 5000;
const DRAFT_MS = 500;
const PANEL_MS = 300;
const DOUBLE_CLICK_MS = 300;
const TRAITS = [
  "query",
  "query_draft",
  "weights",
  "mode",
  "seed",
  "size",
  "unit",
  "theme",
  "snapshot",
  "_kind",
  "panel",
] as const;

export interface Session {
  store: Store;
  query: QuerySession;
  edits: EditSession;
  grid: GridSession;
  detail: DetailSession;
  labeling: Labeling;
  review: ReviewSession;
  model: Model;
  /** Exported code on show, where it could not be inserted. */
  exported: Signal<{ code: string; of: "loader" | "annotations" } | null>;
  /** Text of the last query that gave samples. */
  lastRows: string | null;
  height: number;
  toast(text: string, action?: Toast["action"]): void;
  start(): void;
  dispose(): void;
}

function readState(model: Model): Partial<WidgetState> {
  const state: Record<string, unknown> = {};
  for (const name of TRAITS) {
    const value = model.get(name);
    if (value !== undefined && value !== null) state[name] = value;
  }
  return state as Partial<WidgetState>;
}

export function createSession(model: Model): Session {
  const rpc = new Rpc(model);
  const state = readState(model);
  const base = createStore(state._kind ?? "explorer", rpc, state);
  const query = new QuerySession(base);
  const edits = new EditSession(base, query);
  const filters = new FilterSession(base, query);
  const setTrait = <K extends keyof WidgetState>(name: K, value: WidgetState[K]): void => {
    if (!base.isLive.value) return;
    model.set(name, value);
    model.save_changes();
  };
  const store: Store = {
    ...base,
    actions: {
      ...query.actions(),
      ...edits.actions(),
      ...filters.actions(),
      setUnit(unit) {
        base.unit.value = unit;
        setTrait("unit", unit);
      },
    },
  };
  const grid = new GridSession(base, store.actions.announce);
  const detail = new DetailSession(base, edits);
  detail.uidAt = (position) => grid.pages.tile(position)?.uid;
  // the second click of a double click must not land on what the first one has opened
  const openSoon = debounce(() => {
    detail.opened.value = true;
  }, DOUBLE_CLICK_MS);
  grid.onChosen = (soon) => {
    openSoon();
    if (!soon) openSoon.flush();
  };
  grid.openDetail = () => {
    detail.opened.value = true;
    if (base.dataset.value?.image_tensor != null && base.current.value !== null) base.region.value = "image";
  };
  const review = new ReviewSession(base, edits);
  filters.beforeNarrow = () => grid.settle();
  query.onFollowed = (text) => {
    base.announcement.value = text;
    edits.showToast({ text, undo: false, redo: false });
  };
  query.onWeights = (text, next) =>
    edits.showToast({ text, undo: next === "undo", redo: next === "redo", of: "weights" });
  query.onProblem = (text) => edits.showToast({ text, undo: false, redo: false, bad: true });
  const stops: (() => void)[] = [];
  const session: Session = {
    store,
    query,
    edits,
    grid,
    detail,
    labeling: new Labeling(store, detail, grid, edits),
    review,
    model,
    exported: signal(null),
    get lastRows() {
      return query.lastRows;
    },
    height: state.height ?? 620,
    toast: (text, action) => edits.showToast({ text, undo: false, redo: false, ...(action && { action }) }),
    start() {
      const { uid } = state.panel ?? {};
      if (uid !== undefined) detail.begin(uid);
      stops.push(followPanel(session, setTrait));
      const connection = connect(store, query, model);
      stops.push(connection.stop, followTraits(store, query, model), saveDraft(store, setTrait));
      rpc.onEvent = (event, buffers) => receive(session, event, buffers);
    },
    dispose() {
      for (const stop of stops) stop();
      openSoon.cancel();
      query.dispose();
      edits.dispose();
      grid.dispose();
      detail.dispose();
      review.dispose();
      rpc.dispose();
    },
  };
  return session;
}

/** Says hello at once and again after 2 s; without an answer in 5 s the kernel counts as gone, until one comes. */
function connect(store: Store, query: QuerySession, model: Model): { stop: () => void } {
  const timers: ReturnType<typeof setTimeout>[] = [];
  const greet = (): void => {
    store.rpc.call("hello", {}).then(
      ({ result, buffers }) => {
        if (store.link.value === "live") return;
        stopTimers();
        query.welcome(result, buffers);
      },
      (failure) => {
        if (!isCancelled(failure)) lose(failure);
      },
    );
  };
  const lose = (failure?: unknown): void => {
    stopTimers();
    const known = failure instanceof RpcFailure && failure.error.code !== "NoKernel";
    batch(() => {
      store.link.value = model.send === undefined ? "static" : "dead";
      if (known) store.actions.announce(failure.message);
    });
  };
  const stopTimers = (): void => {
    for (const timer of timers.splice(0)) clearTimeout(timer);
  };
  const again = (): void => {
    stopTimers();
    store.link.value = "connecting";
    store.grid.value = null; // another kernel counts anew
    timers.push(setTimeout(greet, HELLO_RETRY_MS), setTimeout(lose, HELLO_LIMIT_MS));
    greet();
  };
  model.on("comm_live_update", again);
  again();
  return {
    stop: () => {
      stopTimers();
      model.off("comm_live_update", again);
    },
  };
}

function receive({ store, query, edits }: Session, event: EventMessage, buffers: DataView[]): void {
  if (event.event === "dataset") query.receiveDataset(event.dataset);
  else if (event.event === "query") query.receiveDisplay(event, buffers);
  else if (event.event === "live") receiveLive(store, event.live);
  else if (event.event === "grid")
    receiveGrid(store, event.grid, store.grid.value === null || isArrangedOtherwise(store.grid.value, event.grid));
  else if (event.event === "warning") {
    store.actions.announce(event.message);
    edits.showToast({ text: event.message, undo: false, redo: false });
  }
}

/** What Python or another view set. During a drag all echoes are ignored. */
function followTraits(store: Store, query: QuerySession, model: Model): () => void {
  const handlers: [string, () => void][] = [
    ["change:weights", () => query.receiveWeights(model.get("weights"))],
    ["change:mode", () => assign(store.mode, model.get("mode"))],
    ["change:seed", () => assign(store.seed, model.get("seed"))],
    ["change:unit", () => assign(store.unit, model.get("unit"))],
    ["change:theme", () => assign(store.theme, model.get("theme"))],
  ];
  for (const [name, handler] of handlers) model.on(name, handler);
  return () => {
    for (const [name, handler] of handlers) model.off(name, handler);
  };
}

/** How the panels are set, kept in a trait: a reload and a second view start from it. */
function followPanel(session: Session, setTrait: (name: "panel", value: PanelState) => void): () => void {
  const { store, grid, detail, model } = session;
  const read = (): void => {
    const panel = model.get("panel") ?? {};
    batch(() => {
      assign(grid.size, panel.tiles);
      assign(grid.boxes, panel.boxes);
      assign(detail.opened, panel.opened);
      assign(detail.beside, panel.beside);
      assign(detail.under, panel.under);
      const hidden = new Set(panel.hidden ?? []);
      if (!sameSet(hidden, store.hiddenClasses.value)) store.hiddenClasses.value = hidden;
    });
  };
  const save = debounce((panel: PanelState) => setTrait("panel", panel), PANEL_MS);
  read();
  model.on("change:panel", read);
  const stop = effect(() => {
    const uid = detail.sample.value?.uid ?? model.get("panel")?.uid;
    const panel: PanelState = {
      tiles: grid.size.value,
      boxes: grid.boxes.value,
      hidden: [...store.hiddenClasses.value],
      ...(uid === undefined ? {} : { uid }),
      ...(detail.opened.value ? { opened: true } : {}),
      ...(detail.beside.value === null ? {} : { beside: detail.beside.value }),
      ...(detail.under.value === null ? {} : { under: detail.under.value }),
    };
    if (JSON.stringify(panel) !== JSON.stringify(model.get("panel"))) save(panel);
  });
  return () => {
    model.off("change:panel", read);
    stop();
    save.cancel();
  };
}

function sameSet(a: ReadonlySet<number>, b: ReadonlySet<number>): boolean {
  return a.size === b.size && [...a].every((one) => b.has(one));
}

function assign<T>(target: { value: T }, value: NoInfer<T> | undefined): void {
  if (value !== undefined && value !== target.value) target.value = value;
}

/** Keeps what was typed and has not run. A text that ran is none: Python may have gone on from it when the page is opened next. */
function saveDraft(store: Store, setTrait: (name: "query_draft", value: string) => void): () => void {
  const save = debounce((text: string) => setTrait("query_draft", text), DRAFT_MS);
  const stop = effect(() => save(store.textFault.value === null ? "" : store.text.value));
  return () => {
    stop();
    save.flush();
  };
}
