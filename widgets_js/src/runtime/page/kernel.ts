// Answers the operations of the contract from what the page holds, so that views need not know whether a kernel does.

import { EVERYTHING } from "../../session/grid-filter.ts";
import type {
  ClauseInfo,
  Display,
  GridSort,
  GridState,
  Mode,
  Ops,
  QueryState,
  RpcError,
  SampleDetail,
  Tile,
} from "../../session/protocol.ts";
import { type KeptColumns, PageColumns } from "./columns.ts";
import { parseQuery, Refusal } from "./label-query.ts";
import type { LabelColumn } from "./label-rows.ts";
import { arranged, PAGE_SORTS } from "./order.ts";
import { type Ran, ranQuery } from "./query-run.ts";
import type { LargeTile, Samples } from "./samples.ts";
import { matchesKept, withClause, withoutClause, withoutWeights, withPreset } from "./texts.ts";

export interface Answer {
  result: unknown;
  buffers: DataView[];
}

export type Hello = Ops["hello"][1];

type Handlers = { [O in keyof Ops]?: (args: Ops[O][0]) => Answer };

const NOT_HERE: RpcError = {
  code: "StaticPage",
  message: "This page is a copy without a kernel. Run the notebook to do this.",
};

/** Whether the page itself can answer; the others are refused in one sentence. */
export function answeredOps(samples: Samples | null): (keyof Ops)[] {
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
  const queried: (keyof Ops)[] = ["query.lint", "query.explain", "clause.add", "clause.remove", "clause.preset"];
  return samples === null ? always : [...always, ...queried, "grid.filter", "grid.sort", "query.complete"];
}

export class PageKernel {
  private readonly hello: Hello;
  private readonly kept: Ran;
  private readonly samples: Samples | null;
  private readonly large: LargeTile[];
  private readonly extra: DataView;
  private readonly columns: PageColumns | null;
  private readonly largeOf: Map<string, LargeTile>;
  private query: QueryState;
  private buffers: DataView[];
  private pool: Int32Array;
  private grid: GridState;
  private shown: Int32Array; // places of the samples in the grid
  private history: string[];
  private readonly handlers: Handlers = {
    hello: () => this.display({ draft: null, views: [], page: { answers: answeredOps(this.samples), why: WHY } }),
    "dataset.info": () => plain({ path: "this page, a copy without a kernel", rows: [] }),
    "runtime.extra": () => ({ result: {}, buffers: [this.extra] }),
    "query.run": (args) => this.run(args),
    "query.lint": ({ text }) => this.lint(text),
    "query.complete": () => plain({ completions: [] }),
    "query.explain": ({ text }) => plain({ funnel: this.executed(text).query.funnel }),
    "weights.set": ({ text, mode, seed }) => this.setWeights(text, mode, seed),
    "clause.add": ({ text, class_index, weight }) =>
      plain({ text: withClause(text, this.labels(), class_index, weight) }),
    "clause.remove": ({ text, clause }) => plain({ text: withoutClause(text, clause) }),
    "clause.preset": ({ text, preset, parameter }) => this.preset(text, preset, parameter),
    "grid.page": ({ start, stop, size }) => this.page(start, stop, size),
    "grid.filter": (filter) => this.filter(filter),
    "grid.sort": ({ sort, descending }) => this.sort(sort, descending),
    "sample.get": (args) => this.sample(args),
    "select.set": ({ intervals }) => this.select(intervals),
    "columns.list": () => plain(this.columnsNow().list()),
    "columns.profile": ({ names }) => plain(this.columnsNow().profile(names)),
    "table.rows": ({ start, stop, names }) => plain(this.rows(start, stop, names)),
  };

  constructor(hello: Answer, samples: Samples | null, large: LargeTile[], extra: DataView, columns?: KeptColumns) {
    this.columns = columns === undefined ? null : new PageColumns(columns);
    this.extra = extra;
    this.hello = hello.result as Hello;
    this.samples = samples;
    this.large = large;
    this.largeOf = new Map(large.map((one) => [one.tile.uid, one]));
    this.query = this.hello.query;
    this.buffers = hello.buffers;
    this.pool = samples?.pool ?? Int32Array.from(large.keys());
    this.kept = { query: this.query, buffers: this.buffers, pool: this.pool };
    this.history = this.hello.history;
    this.grid = { ...this.hello.grid, selection: [], num_selected: 0 };
    this.shown = this.pool;
    if (samples !== null) this.rearrange();
    else this.grid = { ...this.grid, size: large.length };
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

  private run({ text, mode, seed }: Ops["query.run"][0]): Answer {
    const { query, buffers, pool } = this.executed(text);
    this.query = { ...query, mode: mode ?? this.query.mode, seed: seed ?? this.query.seed };
    this.buffers = buffers;
    this.pool = pool;
    this.history = [text, ...this.history.filter((one) => one !== text)];
    this.grid = { ...this.grid, rev: this.grid.rev + 1, filter: EVERYTHING };
    if (this.samples !== null) this.rearrange();
    return this.display({});
  }

  /** The query that Python ran with other weights, or one about class labels. */
  private executed(text: string): Ran {
    const again = matchesKept(text, this.kept.query);
    if (again !== null) return { ...this.kept, query: { ...this.kept.query, text, clauses: again } };
    const { samples } = this;
    if (samples === null || samples.repeats) throw new Refusal(NOT_HERE);
    return ranQuery(text, samples, this.hello.dataset, this.query);
  }

  private lint(text: string): Answer {
    try {
      const again = matchesKept(text, this.kept.query);
      if (again !== null) return plain({ diagnostics: [], clauses: again, combine: this.kept.query.combine });
      const { clauses, combine, has_sampling } = this.executed(text).query;
      return plain({ diagnostics: [], clauses, combine: has_sampling ? combine : null });
    } catch (failure) {
      if (!(failure instanceof Refusal)) throw failure;
      const { message, from = 0, to = text.length, fix = null } = failure.error;
      return plain({ diagnostics: [{ from, to, severity: "error", message, fix }], clauses: null, combine: null });
    }
  }

  private setWeights(text: string, mode?: Mode, seed?: number): Answer {
    this.query = {
      ...this.query,
      text,
      clauses: this.clausesOf(text),
      mode: mode ?? this.query.mode,
      seed: seed ?? this.query.seed,
    };
    return plain({});
  }

  private preset(text: string, preset: Ops["clause.preset"][0]["preset"], parameter: number | undefined): Answer {
    if (preset === "raw") return plain(withoutWeights(text, this.clausesOf(text)));
    const { pool } = this.executed(text.slice(0, samplingStart(text)));
    return plain(withPreset(text, preset, parameter, this.labels(), pool));
  }

  private clausesOf(text: string): ClauseInfo[] {
    return this.executed(text).query.clauses;
  }

  private filter({ classes, how, states }: Ops["grid.filter"][0]): Answer {
    if (states.some((one) => one === "edited" || one === "unreadable")) throw new Refusal(NOT_HERE);
    return this.arrange({ filter: { classes, how, states } });
  }

  private sort(sort: GridSort, descending = sort === "labels"): Answer {
    if (!PAGE_SORTS.includes(sort)) throw new Refusal(NOT_HERE);
    return this.arrange({ sort, descending });
  }

  private arrange(change: Partial<GridState>): Answer {
    this.grid = { ...this.grid, ...change };
    this.rearrange();
    return plain({ grid: this.grid });
  }

  /** Filters and orders the pool; nothing is selected then. */
  private rearrange(): void {
    const { samples } = this;
    if (samples === null) return;
    const labels = samples.column(this.hello.dataset.label_tensor);
    this.shown = arranged(this.pool, this.grid, this.shown, samples, labels);
    this.grid = { ...this.grid, size: this.shown.length, token: tokenOf(this.shown), selection: [], num_selected: 0 };
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

  /** Of the pool that the page was written for; another pool's counts are not in it. */
  private columnsNow(): PageColumns {
    if (this.columns === null || this.pool !== this.kept.pool) throw new Refusal(NOT_HERE);
    return this.columns;
  }

  private rows(start: number, stop: number, names: string[]): Ops["table.rows"][1] {
    if (this.columns === null) throw new Refusal(NOT_HERE);
    const uidAt = (position: number): string | null => this.tileAt(position, LARGE)?.tile.uid ?? null;
    const result = this.query.kind === "table";
    const size = result ? (this.columns.list().num_rows ?? 0) : this.grid.size;
    return this.columns.rows(start, stop, names, { size, token: this.grid.token, uidAt: result ? null : uidAt });
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
    const sample: SampleDetail = { ...tile, fields: [], state: "", clauses: null, weight: null, before: null, note };
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

  private select(intervals: [number, number][]): Answer {
    const num_selected = intervals.reduce((sum, [start, stop]) => sum + stop - start, 0);
    this.grid = { ...this.grid, selection: intervals, num_selected };
    return plain({ grid: this.grid });
  }
}

const WHY = "This is a copy without a kernel: run the notebook to edit, export and draw.";
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
