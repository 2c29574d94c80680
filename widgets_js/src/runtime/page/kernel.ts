// Answers the operations of the contract from what the page holds, so that views need not know whether a kernel does.
import type {
  AppliedPreset,
  ClauseInfo,
  Display,
  EventMessage,
  GridState,
  Mode,
  Ops,
  PresetName,
  QueryState,
  RpcError,
  SampleDetail,
  Tile,
} from "../../session/protocol.ts";
import { decodeStatistics } from "../../session/statistics-arrays.ts";
import { drawFactors } from "../../statistics/histogram.ts";
import { clausePatterns } from "../../statistics/patterns.ts";
import { type DrawPlan, drawPlan } from "../../statistics/plan.ts";
import { type KeptColumns, PageColumns } from "./columns.ts";
import { isKept, type KeptDraws, keptBatches, keptEpochs } from "./draws.ts";
import { needsKernel, parseQuery, Refusal } from "./label-query.ts";
import type { LabelColumn } from "./label-rows.ts";
import { arranged, selectedIntervals } from "./order.ts";
import { type Ran, ranQuery } from "./query-run.ts";
import type { LargeTile, Samples } from "./samples.ts";
import {
  matchesKept,
  narrowed,
  withClause,
  withoutClause,
  withoutCondition,
  withoutWeights,
  withPreset,
} from "./texts.ts";
import { nameFor, tablesOf, type WeightTable, withTables } from "./weight-tables.ts";

export interface Answer {
  result: unknown;
  buffers: DataView[];
  event?: EventMessage; // what else has changed
}

export type Hello = Ops["hello"][1];

type Handlers = { [O in keyof Ops]?: (args: Ops[O][0]) => Answer };

const NOT_HERE: RpcError = {
  code: "StaticPage",
  message: "This page is a copy without a kernel. Run the notebook to do this.",
};

const NOT_DRAWN: RpcError = {
  code: "StaticPage",
  message: "This copy has the draws of the weights it was saved with, and no others. Run the notebook to draw again.",
};

/** Whether the page itself can answer; the others are refused in one sentence. */
export function answeredOps(samples: Samples | null, draws: KeptDraws | null): (keyof Ops)[] {
  const always: (keyof Ops)[] = [
    "hello",
    "dataset.info",
    "runtime.extra",
    "grid.page",
    "sample.get",
    "select.set",
    "weights.set",
    "query.run",
  ];
  const grid: (keyof Ops)[] = [
    "grid.filter",
    "grid.sort",
    "grid.check_images",
    "query.without",
    "query.narrow",
    "columns.list",
    "columns.profile",
    "table.rows",
  ];
  const queried: (keyof Ops)[] = [
    "query.lint",
    "query.explain",
    "clause.add",
    "clause.remove",
    "clause.preset",
    "query.complete",
  ];
  const drawn: (keyof Ops)[] = draws === null ? [] : samples === null ? ["plan.drawn"] : ["plan.drawn", "plan.batches"];
  return samples === null ? [...always, ...drawn] : [...always, ...queried, ...grid, ...drawn];
}

const KEPT_RUNS = 4;

export class PageKernel {
  private readonly hello: Hello;
  private readonly kept: Ran;
  private readonly samples: Samples | null;
  private readonly large: LargeTile[];
  private readonly extra: DataView;
  private readonly columns: PageColumns | null;
  private readonly draws: KeptDraws | null;
  private readonly largeOf: Map<string, LargeTile>;
  private query: QueryState;
  private buffers: DataView[];
  private pool: Int32Array;
  private strata: Int32Array | null;
  /** A text is linted, weighed and run soon after one another: a hundred thousand samples are counted once. */
  private readonly ran = new Map<string, Ran>();
  private readonly tables: Map<string, WeightTable>; // weights of each $name, as sliders stand
  private applied: { name: PresetName; parameter: number | null; weights: Map<string, number> } | null = null;
  private selected: ReadonlySet<number> = new Set(); // places
  private grid: GridState;
  private shown: Int32Array; // places of the samples in the grid
  private history: string[];
  private readonly handlers: Handlers = {
    hello: () =>
      this.display({ draft: null, views: [], page: { answers: answeredOps(this.samples, this.draws), why: WHY } }),
    "dataset.info": () => plain({ path: "this page, a copy without a kernel", rows: [] }),
    "runtime.extra": () => ({ result: {}, buffers: [this.extra] }),
    "query.run": (args) => this.run(args),
    "query.lint": ({ text }) => this.lint(text),
    "query.complete": () => plain({ completions: [] }),
    "query.explain": ({ text }) => plain({ funnel: this.executed(text).query.funnel }),
    "weights.set": ({ text, weights, mode, seed }) => this.setWeights(text, weights, mode, seed),
    "clause.add": ({ text, class_index, weight }) =>
      plain({ text: withClause(text, this.labels(), class_index, weight) }),
    "clause.remove": ({ text, clause }) => plain({ text: withoutClause(text, clause, this.tables) }),
    "clause.preset": ({ text, preset, parameter }) => this.preset(text, preset, parameter),
    "grid.page": ({ start, stop, size }) => this.page(start, stop, size),
    "grid.filter": ({ classes, how, states }) =>
      this.arrange({ filter: { classes: [...new Set(classes)], how, states } }),
    "columns.list": () => plain(this.columnsNow().list()),
    "columns.profile": ({ names }) => plain(this.columnsNow().profile(names)),
    "table.rows": ({ start, stop, names }) => plain(this.tableRows(start, stop, names)),
    "grid.check_images": () => plain({ unreadable: this.samples?.numUnreadable ?? 0 }),
    "grid.sort": ({ sort, descending }) => this.arrange({ sort, descending: descending ?? !ASCENDING.test(sort) }),
    "query.without": ({ text, condition }) =>
      plain({ text: withoutCondition(text, this.executed(text).query.conditions, condition) }),
    "query.narrow": ({ text, by }) => this.narrow(text, by),
    "sample.get": (args) => this.sample(args),
    "plan.drawn": (args) => plain(keptEpochs(this.drawsFor(args), args.num_epochs)),
    "plan.batches": (args) => this.batches(args),
    "select.set": ({ intervals, keep_hidden }) => this.select(intervals, keep_hidden ?? false),
  };

  constructor(
    hello: Answer,
    samples: Samples | null,
    large: LargeTile[],
    extra: DataView,
    columns?: KeptColumns,
    draws?: KeptDraws | null,
  ) {
    this.columns = columns === undefined ? null : new PageColumns(columns);
    this.draws = draws ?? null;
    this.extra = extra;
    this.hello = hello.result as Hello;
    this.samples = samples;
    this.large = large;
    this.largeOf = new Map(large.map((one) => [one.tile.uid, one]));
    this.query = this.hello.query;
    this.tables = new Map(tablesOf(this.query.clauses));
    this.buffers = hello.buffers;
    this.pool = samples?.pool ?? Int32Array.from(large.keys());
    this.strata = samples?.strata ?? null;
    this.kept = { query: this.query, buffers: this.buffers, pool: this.pool, strata: this.strata };
    this.history = this.hello.history;
    this.grid = { ...this.hello.grid, selection: [], num_selected: 0, held: 0, stale: false };
    this.shown = this.pool;
    if (samples !== null) this.start();
    else this.grid = { ...this.grid, size: large.length };
  }

  /** The filter and order that Python had, as far as the page can have them. */
  private start(): void {
    const { filter } = this.grid;
    this.grid = { ...this.grid, filter: { ...filter, states: filter.states.filter((state) => state !== "selected") } };
    this.rearrangeAnyway();
  }

  private rearrangeAnyway(): void {
    try {
      this.rearrange();
    } catch (failure) {
      if (!(failure instanceof Refusal)) throw failure;
      this.grid = { ...this.grid, sort: "query", descending: false };
      this.rearrange();
    }
  }

  answer(op: string, args: object): Answer | RpcError {
    if (!Object.hasOwn(this.handlers, op)) return NOT_HERE;
    const handler = this.handlers[op as keyof Ops] as (args: object) => Answer;
    try {
      return handler(args);
    } catch (failure) {
      if (failure instanceof Refusal) return failure.error;
      throw failure;
    }
  }

  private labels(): LabelColumn {
    const column = this.samples?.column(this.hello.dataset.label_tensor);
    if (column === undefined) throw new Refusal(NOT_HERE);
    return column;
  }

  private display(more: object): Answer {
    const { dataset } = this.hello;
    const shown: Display = { dataset, query: this.query, grid: this.grid };
    return { result: { ...shown, history: this.history, ...more }, buffers: this.buffers };
  }

  private run({ text, mode, seed }: Ops["query.run"][0], mayShowAll = false): Answer {
    const { query, buffers, pool, strata } = this.executed(text);
    this.query = {
      ...query,
      preset: this.presetOf(query),
      mode: mode ?? this.query.mode,
      seed: seed ?? this.query.seed,
    };
    this.buffers = buffers;
    this.pool = pool;
    this.strata = strata;
    this.history = [text, ...this.history.filter((one) => one !== text)];
    this.grid = { ...this.grid, rev: this.grid.rev + 1, ...(mayShowAll ? { filter: NO_FILTER } : {}) };
    if (this.samples !== null) this.rearrangeAnyway();
    return this.display({});
  }

  /** The query that Python ran with other weights, or one about class labels. */
  private executed(text: string): Ran {
    const again = matchesKept(text, this.kept.query);
    if (again !== null) {
      const clauses = withTables(again, this.tables);
      return { ...this.kept, query: { ...this.kept.query, text, clauses } };
    }
    const { samples } = this;
    if (samples === null || samples.repeats) throw new Refusal(NOT_HERE);
    const tables = JSON.stringify([...this.tables].map(([name, table]) => [name, ...table]));
    const key = `${tables}\n${text}`;
    const known = this.ran.get(key);
    if (known !== undefined) return known;
    const found = ranQuery(text, samples, this.hello.dataset, this.query, this.tables);
    this.ran.set(key, found);
    for (const oldest of this.ran.keys()) if (this.ran.size > KEPT_RUNS) this.ran.delete(oldest);
    return found;
  }

  private lint(text: string): Answer {
    try {
      const again = matchesKept(text, this.kept.query);
      if (again !== null)
        return plain({ diagnostics: [], clauses: withTables(again, this.tables), combine: this.kept.query.combine });
      const { clauses, combine, has_sampling } = this.executed(text).query;
      return plain({ diagnostics: [], clauses, combine: has_sampling ? combine : null });
    } catch (failure) {
      if (!(failure instanceof Refusal)) throw failure;
      const { message, from = 0, to = text.length, fix = null } = failure.error;
      return plain({ diagnostics: [{ from, to, severity: "error", message, fix }], clauses: null, combine: null });
    }
  }

  private setWeights(text: string, weights: readonly number[], mode?: Mode, seed?: number): Answer {
    this.query = {
      ...this.query,
      text,
      clauses: this.clausesOf(text).map((clause, i) => ({ ...clause, weight: weights[i] ?? clause.weight })),
      mode: mode ?? this.query.mode,
      seed: seed ?? this.query.seed,
    };
    for (const [name, table] of tablesOf(this.query.clauses)) this.tables.set(name, table);
    if (this.samples === null || (this.grid.sort !== "weight" && this.grid.sort !== "drawn")) return plain({});
    this.rearrangeAnyway();
    this.grid = { ...this.grid, rev: this.grid.rev + 1 };
    return { ...plain({}), event: { v: 1, event: "grid", grid: this.grid } };
  }

  private preset(text: string, preset: Ops["clause.preset"][0]["preset"], parameter: number | undefined): Answer {
    if (preset === "raw") return plain(withoutWeights(text, this.clausesOf(text)));
    const { pool } = this.executed(text.slice(0, samplingStart(text)));
    const made = withPreset(text, preset, parameter, this.labels(), pool, (stem, table) => {
      const name = nameFor(stem, table, this.tables);
      this.tables.set(name, table);
      return name;
    });
    const { clauses } = this.executed(made.text).query;
    const written = clauses.filter(({ class_index, label }) => class_index !== null || label === "everything else");
    const weights = new Map(written.map(({ expression, weight }) => [expression, weight]));
    this.applied = { name: preset, parameter: parameter ?? null, weights };
    return plain(made);
  }

  private clausesOf(text: string): ClauseInfo[] {
    return this.executed(text).query.clauses;
  }

  private presetOf({ clauses, preset }: QueryState): AppliedPreset | null {
    const { applied } = this;
    const now = new Set(clauses.map(({ expression }) => expression));
    if (applied === null || ![...applied.weights.keys()].every((source) => now.has(source))) return preset ?? null;
    const weights = clauses.map(({ expression }) => applied.weights.get(expression) ?? null);
    return { name: applied.name, parameter: applied.parameter, weights };
  }

  private narrow(text: string, by: "filter" | "selection"): Answer {
    if (by === "selection") throw new Refusal(NOT_HERE); // a selection is named by uids, which are no labels
    return this.run({ text: narrowed(text, this.grid.filter, this.labels()) }, true);
  }

  private arrange(change: Partial<GridState>): Answer {
    const before = this.grid;
    this.grid = { ...this.grid, ...change };
    try {
      this.rearrange();
    } catch (failure) {
      this.grid = before;
      throw failure;
    }
    return plain({ grid: this.grid });
  }

  private drawPlan(): DrawPlan {
    const { statistics, clauses, combine, cap, draws, mode, has_sampling } = this.query;
    if (statistics === null || this.strata === null) throw needsKernel(undefined, "Sorting by this needs a kernel.");
    const weights = has_sampling ? clauses.map(({ weight }) => weight) : [1];
    const request = { clauseWeights: weights, combine, cap, draws, mode: has_sampling ? mode : ("once" as const) };
    return drawPlan({ ...request, statistics: clausePatterns(decodeStatistics(statistics, this.buffers)) });
  }

  private perPosition(ofStrata: Float64Array): Float64Array {
    return Float64Array.from(this.strata ?? [], (stratum) => ofStrata[stratum] as number);
  }

  /** Filters and orders the pool; what is selected stays selected. */
  private rearrange(): void {
    const { samples } = this;
    if (samples === null) return;
    const labels = samples.column(this.hello.dataset.label_tensor);
    this.shown = arranged(this.pool, this.grid, samples, labels, this.selected, {
      weight: () => this.perPosition(this.drawPlan().weights),
      drawn: () => this.perPosition(drawFactors(this.drawPlan()).mean),
    });
    this.grid = { ...this.grid, size: this.shown.length, token: tokenOf(this.shown) };
    this.showSelection();
  }

  private tileAt(position: number, size: number): { tile: Tile; parts: DataView[]; small: boolean } | null {
    if (this.samples === null) {
      const found = this.large[position];
      return found === undefined ? null : { tile: found.tile, parts: [found.image, found.shapes], small: false };
    }
    const place = this.shown[position];
    return place === undefined ? null : this.tileOf(this.samples, place, position, size);
  }

  private tileOf(samples: Samples, place: number, position: number, size: number) {
    const large = this.largeOf.get(String(samples.uids[place]));
    if (large !== undefined && size > SMALL)
      return { tile: { ...large.tile, position }, parts: [large.image, large.shapes], small: false };
    const tile = samples.tile(place, position, samples.column(this.hello.dataset.label_tensor));
    return { tile, parts: [samples.jpeg(place), EMPTY], small: true };
  }

  private page(start: number, stop: number, size: number): Answer {
    const tiles: Tile[] = [];
    const buffers: DataView[] = [];
    for (let position = start; position < Math.min(stop, this.grid.size); position++) {
      const found = this.tileAt(position, size);
      if (found === null) break;
      tiles.push(placedTile(found.tile, found.parts, buffers));
    }
    return { result: { tiles, pool_size: this.grid.size, token: this.grid.token }, buffers };
  }

  private sample(args: { position?: number; uid?: string }): Answer {
    const found = this.find(args);
    if (found === null) throw new Refusal({ code: "SampleIndexError", message: "this sample is not in the page" });
    const buffers: DataView[] = [];
    const tile = placedTile(found.tile, [found.parts[0] as DataView, inFull(found.parts[1] as DataView)], buffers);
    const note = found.small && tile.image >= 0 ? SMALL_NOTE : null;
    const sample: SampleDetail = { ...tile, fields: [], state: "", before: null, note, clauses: null, weight: null };
    return { result: { sample }, buffers };
  }

  private find({ position, uid }: { position?: number; uid?: string }) {
    if (uid === undefined) return position === undefined ? null : this.tileAt(position, LARGE);
    if (this.samples === null) {
      const at = this.large.findIndex(({ tile }) => tile.uid === uid);
      return at < 0 ? null : this.tileAt(at, LARGE);
    }
    const place = this.samples.placeOf(uid);
    if (place === undefined) return null;
    const at = position !== undefined && this.shown[position] === place ? position : this.shown.indexOf(place);
    return this.tileOf(this.samples, place, at, LARGE);
  }

  /** The draws that were kept, if these are their weights. */
  private drawsFor(args: Pick<KeptDraws, "weights" | "mode" | "seed">): KeptDraws {
    const { draws, kept } = this;
    if (draws === null || this.pool !== kept.pool || !isKept(draws, args, kept.query.has_sampling))
      throw new Refusal(NOT_DRAWN);
    return draws;
  }

  private batches(args: Ops["plan.batches"][0]): Answer {
    const { pool, query } = this.kept;
    const more = { pool, draws: query.draws, labels: this.labels(), numClasses: this.hello.dataset.class_names.length };
    const found = keptBatches(this.drawsFor(args), args, more);
    if (found === null) throw new Refusal(NOT_DRAWN);
    return plain(found);
  }

  private columnsNow(): PageColumns {
    if (this.columns === null || this.pool !== this.kept.pool) throw new Refusal(NOT_HERE);
    return this.columns;
  }

  private tableRows(start: number, stop: number, names: readonly string[]): Ops["table.rows"][1] {
    if (this.columns === null) throw new Refusal(NOT_HERE);
    const uidAt = (position: number): string | null => this.tileAt(position, LARGE)?.tile.uid ?? null;
    const result = this.query.kind === "table";
    const size = result ? (this.columns.list().num_rows ?? 0) : this.grid.size;
    return this.columns.rows(start, stop, names, { size, token: this.grid.token, uidAt: result ? null : uidAt });
  }

  private select(intervals: [number, number][], keepHidden: boolean): Answer {
    const chosen = new Set(intervals.flatMap(([start, stop]) => [...this.shown.subarray(start, stop)]));
    const here = new Set(this.shown);
    if (keepHidden) for (const place of this.selected) if (!here.has(place)) chosen.add(place);
    this.selected = chosen;
    this.showSelection();
    return plain({ grid: this.grid });
  }

  private showSelection(): void {
    const selection = selectedIntervals(this.shown, this.selected);
    this.grid = { ...this.grid, selection, num_selected: this.selected.size };
  }
}

const WHY = "This is a copy without a kernel: run the notebook to edit, export and draw.";
const NO_FILTER = { classes: [], how: "any" as const, states: [] };
const ASCENDING = /^(query$|row$|tensor:)/; // unless a direction is asked for
const SMALL = 32;
const LARGE = 1024;
const SMALL_NOTE = "This page has only a thumbnail of 32 pixels of this sample.";
const EMPTY = new DataView(new ArrayBuffer(0));

function plain(result: object): Answer {
  return { result, buffers: [] };
}

function placedTile(tile: Tile, parts: readonly DataView[], buffers: DataView[]): Tile {
  const [image, shapes] = parts.map((part) => (part.byteLength === 0 ? -1 : buffers.push(part) - 1));
  return { ...tile, image: image as number, shapes: shapes as number };
}

/** Shapes of the grid in the form of one sample: each x and y in pixels, as numbers of 64 bits. */
function inFull(shapes: DataView): DataView {
  return new DataView(Float64Array.from(new Int16Array(shapes.buffer)).buffer);
}

function samplingStart(text: string): number {
  const { sampling } = parseQuery(text);
  return sampling?.from ?? text.length;
}

/** The same for the same samples in the same order: positions mean what they meant. */
function tokenOf(places: Int32Array): string {
  let word = 0x811c9dc5;
  for (const place of places) word = Math.imul(word ^ place, 0x01000193);
  return `${(word >>> 0).toString(16)}:${places.length}`;
}
