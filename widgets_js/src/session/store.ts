// What every panel of one widget reads. Panels read signals and call actions; only the session (session.ts) writes kernel
// answers into them. Nothing here touches the DOM.
import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { EVERYTHING, onlyClass } from "./grid-filter.ts";
import type {
  AppliedPreset,
  ClauseInfo,
  DatasetInfo,
  GridFilter,
  GridState,
  LiveState,
  Mode,
  PageInfo,
  PresetName,
  QueryState,
  SampleState,
  SavedView,
  Snapshot,
  Unit,
  WidgetState,
} from "./protocol.ts";
import type { Rpc } from "./rpc.ts";
import type { Statistics } from "./statistics-arrays.ts";

/** "connecting": hello is out; "live"; "dead": the kernel does not answer; "static": a page without kernel. */
export type Link = "connecting" | "live" | "dead" | "static";

export type CoverTab = "epochs" | "times" | "batches" | "schedule";

/** What the left region holds. */
export type Region = "grid" | "image" | "review";

export interface Toast {
  text: string;
  undo: boolean;
  redo: boolean;
  /** What Undo and Redo act on; edits of the data unless told. */
  of?: "edits" | "weights";
  /** What else can be done about it, from the button on. */
  action?: { label: string; run: (button: Element) => void };
  /** An error: stays until it is dismissed. */
  bad?: boolean;
}

export interface Store {
  kind: WidgetState["_kind"];
  link: Signal<Link>;
  dataset: Signal<DatasetInfo | null>;
  /** The last query that ran. */
  query: Signal<QueryState | null>;
  statistics: Signal<Statistics | null>;
  /** Drawn from while no kernel has answered. */
  snapshot: Signal<Snapshot | null>;
  /** Of a page that answers without a kernel; null where a kernel does. */
  page: Signal<PageInfo | null>;
  /** The training that draws from a loader of this session; null where none does. */
  live: Signal<LiveState | null>;
  /** The panel of coverage that shows, and the signal that the class table has a column of. */
  coverTab: Signal<CoverTab>;
  signalColumn: Signal<string | null>;
  /** The text in the editor; `clauses` and `combine` are those of its last valid parse. */
  text: Signal<string>;
  clauses: Signal<ClauseInfo[]>;
  combine: Signal<"max" | "sum" | "product">;
  /** Weights in clause order, as the sliders stand; what every chart draws. Replaced, never changed in place. */
  weights: Signal<Float64Array>;
  /** What the weights come from. */
  preset: Signal<AppliedPreset | null>;
  /** Why sliders cannot write into the text now, else null. */
  textFault: Signal<string | null>;
  /** True from pointer down to pointer up on a slider: echoes from the kernel are ignored. */
  dragging: Signal<boolean>;
  mode: Signal<Mode>;
  seed: Signal<number>;
  size: Signal<number | null>;
  unit: Signal<Unit>;
  theme: Signal<WidgetState["theme"]>;
  history: Signal<string[]>;
  views: Signal<SavedView[]>;
  /** Classes whose boxes are not drawn. */
  hiddenClasses: Signal<ReadonlySet<number>>;
  /** What the grid leaves out of the pool, as asked for last. */
  filter: Signal<GridFilter>;
  /** The one class the grid shows, where it is one. */
  classFilter: ReadonlySignal<number | null>;
  /** Rows the grid shows: the pool, or what `filter` leaves of it. */
  gridSize: Signal<number>;
  /** Filter, order and selection as the kernel keeps them. */
  grid: Signal<GridState | null>;
  /** Position shown in the detail panel. */
  current: Signal<number | null>;
  /** The sample on show stays on show where its position has changed: the data changed, not the question. */
  stay: Signal<boolean>;
  /** Bumped when pages of the grid are out of date; old tiles stay shown meanwhile where they are the same samples. */
  gridEpoch: Signal<number>;
  keepTiles: Signal<boolean>;
  region: Signal<Region>;
  /** The holder of the draft that one chose to read beside: `heldKey`. */
  heldSeen: Signal<string | null>;
  /** A change was sent to a kernel that ended before it answered. */
  unanswered: Signal<boolean>;
  announcement: Signal<string>;
  toast: Signal<Toast | null>;
  busy: Signal<string | null>;
  rpc: Rpc;
  actions: Actions;
  classNames: ReadonlySignal<string[]>;
  isTable: ReadonlySignal<boolean>;
  isLive: ReadonlySignal<boolean>;
}

export interface Actions {
  /** Run the text (or the editor's), with another mode or seed if told. */
  run(change?: { text?: string; mode?: Mode; seed?: number }): Promise<void>;
  /** Move a slider: rewrites one literal, redraws at once, tells the kernel at rest. */
  setWeight(clause: number, value: number): void;
  /** All weights at once; `name` is what undo calls it. */
  setWeights(values: ArrayLike<number>, name?: string): void;
  /** One gesture on weights back or forth; false when there is none. A toast says which. */
  undoWeights(): Promise<boolean>;
  redoWeights(): Promise<boolean>;
  addClass(classIndex: number, weight?: number): Promise<void>;
  removeClause(clause: number): Promise<void>;
  /** The reference of the preset once it ran; null where it did not. `kept`: weights that stay, by the clause's source. */
  preset(name: PresetName, parameter?: number, kept?: ReadonlyMap<string, number>): Promise<string | null>;
  /** Take SAMPLE BY out of the query. Whether it ran. */
  resetWeights(): Promise<boolean>;
  /** Run a text that differs in its weights; `name` is what undo calls it. Whether it ran. */
  runWeights(text: string, name: string, kept?: ReadonlyMap<string, number>): Promise<boolean>;
  /** Say in a toast what was done to weights. */
  tellWeights(text: string, undo: boolean): void;
  setMode(mode: Mode): void;
  setSeed(seed: number): void;
  setUnit(unit: Unit): void;
  /** Show samples of one class; with `add` it joins the classes that are shown, or leaves them; null: of all classes. */
  filterClass(classIndex: number | null, options?: { add?: boolean }): Promise<void>;
  /** Whether samples have any of the classes, all of them, or none. */
  filterHow(how: GridFilter["how"]): Promise<void>;
  filterState(state: SampleState, on: boolean): Promise<void>;
  clearFilter(): Promise<void>;
  /** Arrange the grid anew: samples that edits took out of it leave, and the order is that of now. */
  updateGrid(): Promise<void>;
  /** Take a condition out of WHERE and run the rest. */
  dropCondition(condition: number): Promise<void>;
  /** Write the filter, or the selection, into WHERE and run that. */
  narrow(by: "filter" | "selection"): Promise<void>;
  toggleClass(classIndex: number): void;
  undo(): Promise<void>;
  redo(): Promise<void>;
  /** Say it in the live region. */
  announce(text: string): void;
}

/** What filters the grid, and writes that into the query. */
export type FilterAction =
  | "filterClass"
  | "filterHow"
  | "filterState"
  | "clearFilter"
  | "updateGrid"
  | "dropCondition"
  | "narrow";

export function createStore(kind: WidgetState["_kind"], rpc: Rpc, state: Partial<WidgetState>): Omit<Store, "actions"> {
  const dataset = signal<DatasetInfo | null>(null);
  const query = signal<QueryState | null>(null);
  const link = signal<Link>("connecting");
  const filter = signal<GridFilter>(EVERYTHING);
  return {
    kind,
    link,
    dataset,
    query,
    statistics: signal<Statistics | null>(null),
    snapshot: signal(state.snapshot && "bars" in state.snapshot ? (state.snapshot as Snapshot) : null),
    page: signal<PageInfo | null>(null),
    live: signal<LiveState | null>(null),
    coverTab: signal<CoverTab>("epochs"),
    signalColumn: signal<string | null>(null),
    text: signal(state.query_draft || state.query || ""),
    clauses: signal<ClauseInfo[]>([]),
    combine: signal<"max" | "sum" | "product">("max"),
    weights: signal(new Float64Array()),
    preset: signal<AppliedPreset | null>(null),
    textFault: signal<string | null>(null),
    dragging: signal(false),
    mode: signal(state.mode ?? "iid"),
    seed: signal(state.seed ?? 0),
    size: signal(state.size ?? null),
    unit: signal(state.unit ?? "instances"),
    theme: signal(state.theme ?? "auto"),
    history: signal<string[]>([]),
    views: signal<SavedView[]>([]),
    hiddenClasses: signal<ReadonlySet<number>>(new Set<number>()),
    filter,
    classFilter: computed(() => onlyClass(filter.value)),
    gridSize: signal(0),
    grid: signal<GridState | null>(null),
    current: signal<number | null>(null),
    stay: signal(false),
    gridEpoch: signal(0),
    keepTiles: signal(false),
    region: signal<Region>("grid"),
    heldSeen: signal<string | null>(null),
    unanswered: signal(false),
    announcement: signal(""),
    toast: signal<Toast | null>(null),
    busy: signal<string | null>(null),
    rpc,
    classNames: computed(() => dataset.value?.class_names ?? []),
    isTable: computed(() => query.value?.kind === "table"),
    isLive: computed(() => link.value === "live"),
  };
}
