// A scripted kernel for the development page and the view tests: a small dataset of shapes, and just enough answers to
// drive every panel. It stands in for the host, never for penstock: the real kernel is tested in a real browser.
import { EVERYTHING } from "../src/session/grid-filter.ts";
import type {
  Conflict,
  DatasetInfo,
  Display,
  GridFilter,
  GridState,
  Problem,
  QueryState,
  SampleDetail,
  Tile,
} from "../src/session/protocol.ts";
import { type Answer, type Arguments, type Handlers, reply } from "./fake-answers.ts";
import { exportHandlers } from "./fake-exports.ts";
import { conditionsOf, isShown, sortKey, withCondition, withoutCondition } from "./fake-grid.ts";
import { added, balanced, clausesOf, complete, lint, statisticsOf } from "./fake-query.ts";
import { reviewPage, type Uncommitted } from "./fake-review.ts";
import { countsOf, HEIGHT, NAMES, originalSample, type Sample, WIDTH } from "./fake-samples.ts";

export interface FakeOptions {
  numSamples?: number;
  classNames?: string[];
  broken?: number[];
  /** Why the broken ones are: truncated, unless told otherwise. */
  fault?: { error: string; problem: Problem };
  paired?: boolean;
  singleLabel?: boolean; // one label a sample, and no boxes
  opened?: DatasetInfo["opened"];
  image?: (sample: Sample, size: number, width: number, height: number) => Promise<ArrayBuffer>;
}

export class FakeKernel {
  readonly names: string[];
  readonly log: { op: string; args: Record<string, unknown> }[] = [];
  private readonly count: number;
  private readonly options: FakeOptions;
  private readonly edited = new Map<number, Sample>();
  private readonly committed = new Map<number, Sample>();
  /** Set by tests and the page: what else is not committed. */
  others: string[] = [];
  gone: number[] = [];
  private readonly undoStack: { row: number; before: Sample; done: string }[] = [];
  private readonly redoStack: { row: number; before: Sample; done: string }[] = [];
  private pool: number[] = [];
  private text = "select *";
  private filter: GridFilter = EVERYTHING;
  private sort: GridState["sort"] = "query";
  private descending = false;
  private selection: [number, number][] = [];
  /** Set by tests: what another session has committed, and what the banner says. */
  conflicts: Conflict[] = [];
  behind: DatasetInfo["behind"] = null;
  /** Set by tests: why classes cannot be changed, and what is at the path of an export. */
  fixed: string | null = null;
  exists: "file" | null = null;

  constructor(options: FakeOptions = {}) {
    this.options = options;
    this.count = options.numSamples ?? 600;
    this.names = [...(options.classNames ?? NAMES)];
    this.select(this.text);
  }

  private original(row: number): Sample {
    return this.committed.get(row) ?? originalSample(row, this.options.singleLabel ?? false);
  }

  sample(row: number): Sample {
    return this.edited.get(row) ?? this.original(row);
  }

  /** Edit a sample as Python would, without telling the browser. */
  edit(row: number, labels: number[]): void {
    this.edited.set(row, { ...this.sample(row), labels });
  }

  /** Answer one request, as the kernel would; throws an RpcError. */
  async answer(op: string, args: Record<string, unknown>): Promise<Answer> {
    this.log.push({ op, args });
    const handler = this.handlers[op];
    if (handler === undefined) throw { code: "BadRequest", message: `no operation ${op}` };
    return handler(args as Arguments);
  }

  private readonly handlers: Handlers = {
    ...exportHandlers(() => this.exists),
    hello: () => this.withStatistics({ ...this.displayState(), draft: null, history: [], views: [] }),
    "query.run": ({ text }) => {
      this.select(text);
      return this.withStatistics({ ...this.displayState(), history: [this.text, "select *"] });
    },
    "query.lint": ({ text }) =>
      reply({
        diagnostics: lint(text, this.names),
        clauses: lint(text, this.names).length > 0 ? null : clausesOf(text, this.names),
        combine: "max",
      }),
    "query.complete": ({ text, position }) =>
      reply({ completions: complete(text, position, this.names, this.counts()) }),
    "weights.set": () => reply({}),
    "weights.keep": () => reply({}),
    "clause.add": ({ text, class_index, weight }) => reply({ text: added(text, this.names[class_index], weight) }),
    "clause.remove": () => reply({ text: "select *" }),
    "clause.preset": ({ preset }) =>
      reply({ text: preset === "raw" ? "select *" : balanced(this.names, this.counts()), reference: "" }),
    "grid.page": (args) => this.page(args),
    "grid.filter": (filter) =>
      this.arrange(() => {
        this.filter = filter;
      }),
    "grid.check_images": () => reply({ unreadable: this.options.broken?.length ?? 0 }),
    "grid.sort": ({ sort, descending }) =>
      this.arrange(() => {
        this.sort = sort;
        this.descending = descending ?? !/^(query|row|tensor:.*)$/.test(sort);
      }),
    "query.without": ({ text, condition }) => reply({ text: withoutCondition(text, condition) }),
    "query.narrow": ({ text, by }) => {
      const rows = this.selectedRows();
      if (by === "selection" && rows.length === 0) throw { code: "DatasetError", message: "no sample is selected" };
      const named = this.filter.classes.map((index) => `contains(labels, '${this.names[index]}')`);
      this.select(withCondition(text, by === "filter" ? named.join(" and ") : `uid() in (${rows.join(", ")})`));
      this.filter = EVERYTHING;
      return this.withStatistics({ ...this.displayState(), history: [this.text, "select *"] });
    },
    "sample.get": (args) => this.detail(args),
    "select.set": ({ intervals, token }) => {
      if (token !== this.token())
        throw { code: "Outdated", message: "the samples in the grid have changed; select again" };
      this.selection = intervals;
      return reply({ grid: this.grid() });
    },
    "grid.unlabeled": ({ after }) => {
      const places = this.shown().flatMap((row, i) => (this.sample(row).labels.length === 0 ? [i] : []));
      return reply({ position: places.find((place) => place > after) ?? places[0] ?? null, token: this.token() });
    },
    "sample.levels": () => reply({ bits: 16, low: 120, high: 4095 }),
    "sample.region": async () => ({ result: { width: 10, height: 10 }, buffers: [await this.picture(0, 64)] }),
    "edit.new_class": ({ name }) => {
      this.names.push(name);
      return this.editReply(null, `added class ${name}`);
    },
    "edit.bulk": ({ replace }) => {
      for (const row of this.selectedRows()) {
        const before = this.sample(row);
        const labels = before.labels.map(
          (label) => replace?.find((one: { from: number }) => one.from === label)?.to ?? label,
        );
        this.edited.set(row, { ...before, labels });
      }
      return this.editReply(null, "replaced");
    },
    "dataset.update": () => {
      this.behind = null;
      return this.editReply(null, "up to date");
    },
    "classes.count": ({ classes }) => {
      const objects = classes.reduce((sum: number, one: number) => sum + (this.counts()[one] ?? 0), 0);
      return reply({ objects, samples: objects });
    },
    "classes.rename": ({ old, new: name }) => {
      if (name === "refused") throw { code: "SampleError", message: "this name is not wanted", hint: "take another" };
      this.names[this.names.indexOf(old)] = name;
      return this.editReply(null, `renamed ${old} to ${name}`);
    },
    "classes.merge": ({ names, into }) => this.editReply(null, `merged ${names[0]} into ${into}`),
    "classes.remove": ({ names }) => this.editReply(null, `deleted ${names.length}`),
    "classes.recolor": ({ name }) => this.editReply(null, `recolored ${name}`),
    "edit.labels": ({ uid, labels, boxes }) => this.relabel(Number(uid), labels, boxes),
    "edit.undo": () => this.step(this.undoStack, this.redoStack, "undid"),
    "edit.redo": () => this.step(this.redoStack, this.undoStack, "redid"),
    "edit.discard": (chosen) => {
      const rows = this.chosenRows(chosen);
      for (const row of rows) this.edited.delete(row);
      return this.editReply(null, `discarded the edits of ${rows.length} samples`);
    },
    "review.page": (args) => reviewPage(this.uncommitted(), args),
    "edit.commit": ({ on_conflict, token, ...chosen }) => {
      if (token !== undefined && token !== JSON.stringify([...this.edited]))
        throw { code: "Outdated", message: "the edits have changed since they were shown; look at them again" };
      if (this.conflicts.length > 0 && on_conflict === undefined)
        throw {
          code: "ConflictError",
          message: "another session committed the same samples",
          conflicts: this.conflicts,
          num_conflicts: this.conflicts.length,
        };
      this.conflicts = [];
      for (const row of this.chosenRows(chosen)) {
        this.committed.set(row, this.sample(row));
        this.edited.delete(row);
      }
      return this.editReply(null, "committed as 91ab02");
    },
    "plan.drawn": () => reply({ unique: [], counts: [] }),
    "plan.batches": () => reply({ counts: [] }),
    "export.code": ({ batch_size }) =>
      reply({
        code: `import penstock\n\nds = penstock.load("shapes.penstock", version="3f2a9c")\nloader = ds.dataloader().query(${JSON.stringify(this.text)}).batch(${batch_size}).pytorch()\n`,
        note: null,
      }),
  };

  private chosenRows({ only, keep = [] }: Arguments): number[] {
    const rows = [...this.edited.keys()].sort((a, b) => a - b);
    return rows.filter((row) => (only === undefined || only.includes(String(row))) && !keep.includes(String(row)));
  }

  private uncommitted(): Uncommitted {
    const rows = Array.from({ length: Math.min(this.count, 5000) }, (_, row) => this.original(row).labels);
    return {
      names: this.names,
      edited: [...this.edited].sort(([a], [b]) => a - b).map(([row]) => row),
      gone: this.gone,
      others: this.others,
      token: JSON.stringify([...this.edited]),
      counted: countsOf(rows, this.names.length),
      now: this.counts(),
      before: (row) => this.original(row),
      after: (row) => this.sample(row),
      picture: (row, size) => this.picture(row, size),
    };
  }

  private select(text: string): void {
    const faults = lint(text, this.names);
    if (faults.length > 0) throw { code: "QuerySyntaxError", ...faults[0] };
    this.text = text;
    this.selection = [];
    const wanted = [...(text.split(" sample by ")[0] ?? "").matchAll(/contains\(labels, '(\w+)'\)/g)].map(([, name]) =>
      this.names.indexOf(name ?? ""),
    );
    const uids = /uid\(\) in \(([\d, ]+)\)/.exec(text)?.[1]?.split(", ").map(Number);
    this.pool = Array.from({ length: this.count }, (_, i) => i).filter(
      (i) => wanted.every((one) => this.sample(i).labels.includes(one)) && (uids?.includes(i) ?? true),
    );
  }

  private shown(): number[] {
    if (this.filter === EVERYTHING && this.sort === "query" && !this.descending) return this.pool;
    const state = (row: number) => (name: string) =>
      name === "edited"
        ? this.edited.has(row)
        : name === "selected"
          ? this.chosen.includes(row)
          : name === "unlabeled"
            ? this.sample(row).labels.length === 0
            : (this.options.broken?.includes(row) ?? false);
    const rows = this.pool.filter((row) => isShown(this.filter, this.sample(row).labels, state(row)));
    const sign = this.descending ? -1 : 1;
    return rows.sort((a, b) => sign * (sortKey(this.sort, a, this.sample(a)) - sortKey(this.sort, b, this.sample(b))));
  }

  /** What is selected stays selected, wherever it is then. */
  private chosen: number[] = [];
  private arrange(change: () => void): Answer {
    this.chosen = this.selectedRows();
    change();
    const places = new Map(this.shown().map((row, position) => [row, position]));
    const found = this.chosen.flatMap((row) => places.get(row) ?? []).sort((a, b) => a - b);
    this.selection = found.map((position) => [position, position + 1]);
    return reply({ grid: this.grid() });
  }

  private counts(): number[] {
    const rows = Array.from({ length: Math.min(this.count, 5000) }, (_, row) => this.sample(row).labels);
    return countsOf(rows, this.names.length);
  }

  private dataset(): DatasetInfo {
    return {
      name: "shapes",
      version: "3f2a9c",
      branch: "main",
      num_samples: this.count,
      num_edits: this.edited.size,
      uncommitted: this.edited.size + this.others.length + this.gone.length > 0,
      read_only: false,
      opened: this.options.opened ?? "dataset",
      tensors: [],
      scalar_tensors: ["score"],
      image_tensor: "images",
      box_tensor: this.options.singleLabel ? null : "boxes",
      label_tensor: "labels",
      paired: this.options.singleLabel ? false : (this.options.paired ?? true),
      single_label: this.options.singleLabel ?? false,
      class_names: this.names,
      class_counts: this.counts(),
      skeletons: {},
      class_colors: {},
      classes_fixed: this.fixed,
      can_undo: this.undoStack.at(-1)?.done ?? null,
      can_redo: this.redoStack.at(-1)?.done ?? null,
      holder: null,
      behind: this.behind,
    };
  }

  private token(): string {
    return `${this.text.split(" sample by ")[0]}/${JSON.stringify(this.filter)}/${this.sort}${this.descending}/${this.shown().length}`;
  }

  private numSelected(): number {
    return this.selection.reduce((sum, [start, stop]) => sum + stop - start, 0);
  }

  private selectedRows(): number[] {
    return this.selection.flatMap(([start, stop]) => this.shown().slice(start, stop));
  }

  grid(): GridState {
    return {
      rev: 1,
      filter: this.filter,
      sort: this.sort,
      descending: this.descending,
      size: this.shown().length,
      token: this.token(),
      data: JSON.stringify([...this.edited]),
      selection: this.selection,
      num_selected: this.numSelected(),
    };
  }

  private displayState(): Display {
    return { dataset: this.dataset(), query: this.query(), grid: this.grid() };
  }

  private query(): QueryState {
    const clauses = clausesOf(this.text, this.names);
    return {
      text: this.text,
      kind: "rows",
      num_rows: this.count,
      pool_size: this.pool.length,
      draws: this.pool.length,
      ms: 1.8,
      combine: "max",
      cap: null,
      replace: true,
      mode: "deck",
      seed: 7,
      clauses,
      conditions: conditionsOf(this.text),
      has_sampling: clauses.length > 0,
      funnel: [
        { label: "rows", rows: this.count },
        ...(this.text.includes("where") ? [{ label: "where", rows: this.pool.length }] : []),
      ],
      emptied_by: this.pool.length === 0 ? "where" : null,
      rare_classes: [5, 4, 3],
      statistics: null,
      table: null,
      warnings: [],
      followed: null,
    };
  }

  private withStatistics(result: { query: QueryState; [more: string]: unknown }): Answer {
    const pool = this.pool.map((row) => this.sample(row).labels);
    const { header, buffers } = statisticsOf(result.query.clauses, pool, this.names.length);
    result.query.statistics = header;
    return { result, buffers };
  }

  private tile(position: number, row: number, image: number): Tile {
    const sample = this.sample(row);
    const broken = this.options.broken?.includes(row) ?? false;
    return {
      position,
      row,
      uid: String(row),
      image: broken ? -1 : image,
      shapes: -1,
      width: WIDTH,
      height: HEIGHT,
      labels: sample.labels,
      boxes: sample.boxes,
      edited: this.edited.has(row),
      error: broken ? (this.options.fault?.error ?? "cannot decode: truncated JPEG") : null,
      problem: broken ? (this.options.fault?.problem ?? "damaged") : null,
    };
  }

  private async page({ start, stop, size }: Arguments): Promise<Answer> {
    const rows = this.shown().slice(start, stop);
    const tiles = rows.map((row, i) => this.tile((start as number) + i, row, i));
    const buffers = await Promise.all(rows.map((row) => this.picture(row, size)));
    return { result: { tiles, pool_size: this.shown().length, token: this.token() }, buffers };
  }

  private picture(row: number, size: number): Promise<ArrayBuffer> {
    return (
      this.options.image?.(this.sample(row), size, WIDTH, HEIGHT) ??
      Promise.resolve(new Uint8Array([255, 216, 255]).buffer)
    );
  }

  private async detail({ position, uid }: Arguments): Promise<Answer> {
    const still = uid === undefined || this.shown()[position ?? -1] === Number(uid);
    const at = still && position !== undefined ? position : this.shown().indexOf(Number(uid));
    const row = this.shown()[at] ?? 0;
    return { result: { sample: this.detailOf(row, at) }, buffers: [await this.picture(row, 1024)] };
  }

  private detailOf(row: number, position: number): SampleDetail {
    const original = this.original(row);
    const before = this.edited.has(row) ? { labels: original.labels, boxes: original.boxes, shapes: -1 } : null;
    return {
      ...this.tile(position, row, 0),
      fields: [
        { name: "split", htype: "text", value: "train" },
        { name: "camera", htype: "text", value: `unit ${row % 7}` },
      ],
      before,
      note: null,
      clauses: clausesOf(this.text, this.names).flatMap((clause, k) =>
        clause.class_index === null || this.sample(row).labels.includes(clause.class_index) ? [k] : [],
      ),
      weight: 1,
      state: JSON.stringify(this.sample(row)),
    };
  }

  private relabel(row: number, labels: number[], boxes: number[] | undefined): Answer {
    const before = this.sample(row);
    const after = { ...before, labels, boxes: boxes ?? before.boxes };
    const done = `changed the labels of sample ${row}`;
    this.undoStack.push({ row, before, done });
    this.redoStack.length = 0;
    this.edited.set(row, after);
    return this.editReply(row, done);
  }

  private step(from: typeof this.undoStack, to: typeof this.undoStack, word: string): Answer {
    const last = from.pop();
    if (last === undefined) throw { code: "BadRequest", message: "nothing to undo" };
    to.push({ ...last, before: this.sample(last.row) });
    this.edited.set(last.row, last.before);
    if (JSON.stringify(last.before) === JSON.stringify(this.original(last.row))) this.edited.delete(last.row);
    return this.editReply(last.row, `${word}: ${last.done}`);
  }

  private editReply(row: number | null, done: string): Answer {
    const sample = row === null ? null : this.detailOf(row, this.shown().indexOf(row));
    return this.withStatistics({ ...this.displayState(), sample, done });
  }
}
