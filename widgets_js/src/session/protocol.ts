// The contract between the kernel (penstock/widgets/) and the browser. Python mirrors it in penstock/widgets/requests/_rpc.py.
// Request  {v: 1, id, op, args}                    browser -> kernel, custom message
// Reply    {v: 1, id, ok: true, result, news?} + buffers  or  {v: 1, id, ok: false, error}
// Cancel   {v: 1, id, op: "cancel", args: {}}      id = the request to be cancelled
// Event    {v: 1, event, ...}                      kernel -> every view of a widget: progress, and what Python, another
//                                                  widget or another session changed
// `id` = "<random 64-bit view id, hex>:<counter>". Replies reach every view of the widget. `news`: the result is also what an
// event of that name holds; a view that did not ask reads it as that event, so that a change is sent once.

export interface RpcError {
  code: string; // the Python class name, e.g. "QuerySyntaxError", or "Cancelled", "BadRequest"
  message: string; // without the caret drawing
  from?: number; // UTF-16 span in the query, where there is one
  to?: number;
  line?: number; // from 1
  column?: number; // from 1
  hint?: string;
  fix?: string; // replaces [from, to)
  conflicts?: Conflict[]; // of a commit: samples another session has committed meanwhile, at most 50
  num_conflicts?: number;
  unanswered?: boolean; // of "NoKernel": it was sent, and may have been done
}

/** A sample, or an object of it, that this session and another one changed, each in its own way. */
export interface Conflict {
  row: number | null;
  object?: number | null; // which object of the sample; null: the whole sample
  tensor: string;
  base?: string; // the value both started from, as text
  ours: string; // as text
  theirs: string;
}

export type Mode = "iid" | "deck" | "once";
export type Unit = "instances" | "samples";

/** What `hello` tells of the dataset; sent again as event "dataset" when edits, a commit or a rename change it. */
export interface DatasetInfo {
  name: string;
  version: string; // short commit id
  branch: string;
  num_samples: number;
  num_edits: number; // samples whose edits are not committed
  uncommitted: boolean; // anything differs from the last commit: edits, appended and removed samples, classes
  read_only: boolean;
  opened: "dataset" | "view" | "frozen view"; // what charts count; a frozen view has the rows that sampling drew once
  tensors: { name: string; htype: string; shown: string }[]; // shown: "class label, 1–5 per sample" ...
  scalar_tensors: string[]; // tensors of one number or text a sample: what the grid can be sorted by
  image_tensor: string | null;
  box_tensor: string | null;
  label_tensor: string | null; // what charts count
  paired: boolean; // each label has a box: objects are edited whole
  single_label: boolean; // a sample has one label at most, without a box: a class takes the place of the one before
  class_names: string[];
  class_counts: number[]; // instances of each class in the whole dataset, class order
  skeletons: Record<string, Skeleton>; // by class index: keypoints of the classes that have them
  class_colors: Record<string, string>; // "#rrggbb" by class index, of classes that have a color of their own
  classes_fixed: string | null; // why classes cannot be changed; null where they can
  can_undo: string | null; // name of what would be undone
  can_redo: string | null;
  signals?: SignalsInfo | null; // what training has reported a sample; null or missing: nothing
  holder: { program: string; pid: number; host: string; since: string } | null; // another process that has uncommitted edits: read_only here; since: ISO 8601
  behind: { message: string; remedy: "update" | "take over" | null } | null; // how what is shown differs from the dataset
}

/** Numbers that a training run reported for its samples; `columns.list` has a column of htype "signal" for each. */
export interface SignalsInfo {
  run: string;
  names: string[];
  stale: number; // samples whose labels were edited since
}

/** Training that draws from a loader of this session (`x.loader(live=True)`), as it is now; sent again a few times a second. */
export interface LiveState {
  loader: number; // another loader of the session has another number
  state: "ready" | "training" | "waiting" | "ended"; // ready: no batch was asked for yet; waiting: none lately; ended: the loader is gone
  follows: boolean; // weights that are set reach it at the next batch
  why: string | null; // why they do not, a sentence
  when: "next_batch" | "next_epoch"; // when new weights take effect
  epoch: number; // under way or next, from 0
  batch: number; // batches handed out of it
  num_batches: number;
  position: number; // draws handed out since the loader was made
  draws: number; // of an epoch
  reported: { name: string; value: number } | null; // the latest mean of what the loop records
  clauses: { label: string; class_index: number | null }[]; // of all entries, in order of first appearance
  entries: { start: number; weights: (number | null)[] }[]; // the schedule: null where an entry has no such clause; newest 200
  num_entries: number;
  drawn: number[] | null; // instances of each class drawn in the epoch under way
  seen: number[]; // samples seen after each epoch that has ended, newest 100
  num_seen: number | null; // samples seen by now
  promise: { epochs: number[]; seen: number[]; low: number[]; high: number[] } | null; // samples seen by the end of epochs to come; independent draws only
}

/** Names of a class's keypoints, and lines between them: pairs of places among the names, from 0. */
export interface Skeleton {
  names: string[];
  edges: [number, number][];
}

/** What the grid shows. The kernel keeps it, so that a reload and a second view show the same. */
export interface GridState {
  rev: number; // grows with every change of query, weights or data: a message with a smaller one is out of date
  filter: GridFilter;
  sort: GridSort;
  descending: boolean; // the greatest first; what has no value comes last either way
  size: number; // samples shown, held ones too
  held?: number; // samples that stay where they were though, since they were edited, they no longer match
  stale?: boolean; // the same filter and order, asked for again, would show other samples or another order
  token: string; // another one when a position means another sample
  data: string; // another one when samples may have changed
  selection: [number, number][]; // selected positions [start, stop)
  num_selected: number; // selected samples that are not shown count too
}

/** What the grid leaves out of the pool: samples without any (all, some: not) of the classes, or not in all of the states. */
export interface GridFilter {
  readonly classes: readonly number[]; // empty: classes do not matter
  readonly how: "any" | "all" | "not";
  readonly states: readonly SampleState[];
}
export type SampleState = "unreadable" | "edited" | "selected" | "unlabeled";

/** box_area: the largest box, ascending the smallest; drawn: times an epoch, expected; tensor: one of scalar_tensors; column: any column
 * of what the query returns, also of a table result: by its value, of lists by how many there are. */
export type GridSort = "query" | "row" | "labels" | "box_area" | "image_size" | "drawn" | "weight" | `tensor:${string}` | `column:${string}`;

/** A condition of the outermost WHERE; AND joins them. */
export interface ConditionInfo {
  text: string; // its source, white space folded
  from: number; // UTF-16 span in the query
  to: number;
}

/** A weight clause, bound to the text it came from. */
export interface ClauseInfo {
  expression: string; // its source, to the letter
  label: string; // "Hernia", "everything else", or the source
  class_index: number | null; // for contains(labels, 'Hernia') and labels == 'Hernia'
  weight: number;
  from: number | null; // UTF-16 span of the weight literal; null: no literal, and no slider unless it is in a table
  to: number | null;
  table?: string | null; // the $name after `classes` whose value the weight is: a slider moves it there, the text stays
}

/** The state of the last query that ran. */
export interface QueryState {
  text: string;
  kind: "rows" | "table"; // "table": grouped, joined or concatenated, shown read-only
  num_rows: number; // rows of the dataset
  pool_size: number; // after WHERE .. LIMIT
  draws: number; // an epoch, as asked; pool_size without SAMPLE BY. Without replacement the browser caps it at the drawable rows
  ms: number;
  combine: "max" | "sum" | "product";
  cap: number | null; // largest weight a row can have; null: none
  replace: boolean;
  mode: Mode; // as chosen for SAMPLE BY; without it every row comes once an epoch, whatever this says: draw charts as "once", weights [1]
  seed: number;
  clauses: ClauseInfo[]; // empty without SAMPLE BY; the statistics then have one clause that matches every row: weights = [1]
  conditions: ConditionInfo[];
  has_sampling: boolean;
  funnel: { label: string; rows: number }[];
  emptied_by: string | null; // the clause that left no row
  rare_classes: number[]; // up to three class indices with the fewest instances of the pool, > 0
  statistics: StatisticsHeader | null; // null for "table"
  table: { columns: string[]; rows: (string | number | null)[][] } | null; // first 200 rows of "table"
  warnings: string[];
  preset?: AppliedPreset | null; // what these weights come from
  followed: FollowedClasses | null; // how classes changed since the query ran before
}

export type PresetName = "raw" | "balanced" | "square_root" | "effective_number" | "repeat_factor";

/** A preset that wrote the clauses of the query, and what each of them weighed then. */
export interface AppliedPreset {
  name: PresetName;
  parameter: number | null;
  weights: (number | null)[]; // in clause order; null: the preset did not write it
}

/** Classes that were renamed, merged or removed under a query: its text is rewritten, and the browser's own lists go along. */
export interface FollowedClasses {
  number: number; // of this change in the session: each is taken once
  renames: [string, string][]; // names before and after
  classes: number[] | null; // the new index of each class, -1 where it is gone; null where none moved
}

/** Strata statistics: arrays travel as buffers, in this order; S strata, C classes, K clauses.
 * Built by plan.statistics() in penstock.sampling. Sparse matrices are CSR over strata. */
export interface StatisticsHeader {
  num_rows: number; // of the pool
  num_strata: number;
  num_classes: number;
  num_clauses: number;
  arrays: { name: StatisticsArray; dtype: "float64" | "int32" | "int64"; length: number }[];
  level: "clauses" | "label_sets" | "bins"; // what a stratum is
  bin_error: number; // relative error of weights when level is "bins", else 0
}
export type StatisticsArray =
  | "sizes" // float64[S]           n: rows of each stratum
  | "clause_offsets" // int32[S+1]  CSR: which clauses match a stratum, ascending
  | "clause_ids" // int32[...]
  | "class_offsets" // int32[S+1]   CSR: which classes occur in a stratum, ascending
  | "class_ids" // int32[...]
  | "rows_with_class" // float64[...] R
  | "instances" // float64[...]     A = sum of k
  | "instances_squared" // float64[...] B = sum of k squared
  // Only where a row has a class more than once; nothing for entries whose rows all have equally many
  | "value_offsets" // int32[...]   CSR: the numbers of instances of each entry of class_ids
  | "value_counts" // int32[...]    k, ascending
  | "value_rows" // float64[...]    rows with k instances
  | "weights" // float64[S]         only for level "bins"
  | "unlabeled" // float64[S]      rows without a label; only where there are any
  // Only where a sample is in the pool at several positions: its distinct samples, grouped by the positions they have in each stratum
  | "fold_sizes" // float64[F]      samples of each group
  | "fold_offsets" // int32[F+1]    CSR: the strata a sample of a group has positions in
  | "fold_strata" // int32[...]
  | "fold_times" // float64[...]    how many
  | "fold_class_offsets" // int32[F+1] CSR: classes of a group
  | "fold_class_ids" // int32[...]
  | "fold_rows_with_class"; // float64[...]

/** One sample as the grid shows it. `image` = index of its JPEG among the reply's buffers, or -1 with `error`; `shapes` = index
 * of its outlines, masks and keypoints as shapes.ts reads them, -1: none. int16 in grid.page, float64 where it is one sample. */
export interface Tile {
  position: number; // in what the grid shows (filtered, sorted), as in grid.page, sample.get, select.set; -1: not shown
  row: number; // in the dataset
  uid: string; // int64 as decimal text
  image: number;
  shapes: number;
  width: number; // of the full image, pixels
  height: number;
  labels: number[]; // class indices
  boxes: number[]; // x, y, w, h in pixels of the full image, flat
  edited: boolean;
  held?: boolean; // is shown where it was, though it no longer matches since it was edited
  value?: string | number | null; // what samples are sorted by, where that is a column; null: missing
  stale?: boolean; // that is a signal reported before the labels were edited
  error: string | null; // why there is no image, in a sentence
  problem?: Problem | null; // the kind of that
}

/** Why an image is not shown: access is refused, its storage or file is not there, it cannot be decoded, there is none. */
export type Problem = "refused" | "unreachable" | "missing" | "damaged" | "none" | "other";

export interface SampleDetail extends Tile {
  fields: { name: string; htype: string; value: string; each?: string[] }[]; // the sample's other tensors, as text; each: of every object
  state: string; // another one when the sample's objects have changed; edit.labels refuses an older one
  before: { labels: number[]; boxes: number[]; shapes: number } | null; // as committed, when edited
  note: string | null; // why some shapes are not drawn
  clauses: number[] | null; // weight clauses that match it; null where a weight is computed otherwise
  weight: number | null; // as the kernel has the weights; where `clauses` are known the browser's own are newer; null: not known
}

/** `object`: its place among the labels and boxes that are sent. What is left out is as it was. */
export interface EditedShape {
  object: number;
  polygons?: number[][];
  keypoints?: number[];
}

/** Edited samples by uid: only these, or all but those to keep; all where neither is given. */
export interface ChosenEdits {
  only?: string[];
  keep?: string[];
}

/** A commit that changed a sample. */
export interface HistoryEntry {
  kind: "added" | "edited" | "deleted" | "restored"; // restored: a merge brought it back
  commit: string | null; // short id; null: what is not committed
  branch: string; // that the commit was made on
  time: string | null; // ISO 8601
  author: string;
  message: string;
  words: { sign: "+" | "-" | "" | "="; text: string }[]; // before -> after; as in ReviewEntry
  more: number; // words left out
}

/** What is not committed. A page holds samples: first those edited, then added, then deleted ones, each kind by row. */
export interface ReviewPage {
  entries: ReviewEntry[];
  token: string; // another one when the edits, or what they were made over, have changed
  num_edited: number;
  num_added: number; // and not edited since
  num_deleted: number;
  others: string[]; // classes, tensors and notes that changed, in words; at most 200
  num_others: number;
  moved: [string, number, number][]; // classes whose number of labels changed: name, as committed, now; most moved first, at most 12
  num_moved: number;
  marked: string[]; // those of `marked` that still are edited
}

export interface ReviewEntry {
  kind: "edited" | "added" | "deleted";
  edited: boolean; // has edits that can be discarded or kept; an added sample may
  row: number; // in the dataset; of a deleted sample in the last commit
  uid: string;
  width: number; // of the full image, pixels
  height: number;
  before: ReviewSide | null; // null: added
  after: ReviewSide | null; // null: deleted
  words: { sign: "+" | "-" | "" | "="; text: string }[]; // "=": what the others come to, no edit of its own
  more: number; // edits left out
  error: string | null; // why there is no image
}

export interface ReviewSide {
  image: number; // as in Tile
  shapes: number;
  labels: number[];
  boxes: number[];
}

export interface EditReply extends Display {
  sample: SampleDetail | null; // the sample that changed, if it was one
  done: string; // "added Cross to sample 13": the toast
}

export interface Diagnostic {
  from: number;
  to: number;
  severity: "error" | "warning";
  message: string;
  fix: string | null;
}

export interface Completion {
  label: string;
  insert: string;
  kind: "keyword" | "tensor" | "function" | "class" | "value";
  detail: string;
  from: number; // replaces [from, to)
  to: number;
}

/** A column of what the query returns: a tensor, or what the query computed. */
export interface ColumnInfo {
  name: string;
  htype: string;
  shown: string; // "class label, 1–5 per sample"
  numeric: boolean;
}

/** How the values of a column are distributed. `raw`: samples that are open; `pool`: those of the query that the filter shows. */
export interface ColumnProfile {
  name: string;
  kind: "number" | "date" | "category" | "length" | "presence"; // length: of lists; presence: only what is missing
  bars: { label: string; special: "missing" | "nan" | "infinite" | "empty" | null; raw: number; pool: number }[]; // special ones last
  other: { raw: number; pool: number }; // samples in no bar
  selectable: boolean[]; // whether a condition can select the bar
  selected: [number, number] | null; // bars that a condition of the query selects
  low: string; // ends of the axis
  high: string;
  distinct: number | null; // values that differ, where they were counted
  facts: { name: string; value: string }[]; // min, max, mean; as text, for JSON numbers end at 2**53
  num_raw: number;
  num_pool: number;
}

export interface TableRow {
  position: number;
  row: number; // in the dataset, or in the table result
  uid: string | null; // null: not a sample
  edited: boolean;
  held?: boolean; // as in Tile
  cells: (string | number | null)[]; // in the order asked for
}

/** A format that annotations can be exported to. */
export interface ExportFormat {
  name: string;
  title: string;
  places: { file?: string; folder?: string }; // free paths; images can only be written to a folder
  images: ("copy" | "link")[]; // how images can be written too
  needs_images: boolean; // whether they always are
  options: { name: string; choices: (string | null)[] }[]; // the default first; null: by the dataset
  why_not: string | null; // why this dataset cannot be exported to it
}

export interface AnnotationsRequest {
  format: string;
  path: string;
  query_only: boolean; // what the query returns before it draws, else all that is open
  images: "copy" | "link" | null;
  options: [string, string][];
}

export interface ExportReport {
  num_samples: number;
  num_objects: number;
  issues: string[]; // at most 50
  num_issues: number;
}

/** op -> [args, result]. */
export interface Ops {
  hello: [Record<string, never>, Display & { draft: string | null; history: string[]; views: SavedView[]; weight_steps?: string; page?: PageInfo; live?: LiveState | null }]; // + statistics buffers; page: of a page without kernel
  "query.run": [{ text: string; mode?: Mode; seed?: number }, Display & { history: string[] }]; // + statistics buffers
  "query.without": [{ text: string; condition: number }, { text: string }]; // the text without a condition of its WHERE
  "query.narrow": [{ text: string; by: "filter" | "selection" }, Display & { history: string[] }]; // written into WHERE and run, then nothing is filtered; + statistics buffers
  "runtime.extra": [Record<string, never>, Record<string, never>]; // + gzip of the second file of the browser's code
  "query.lint": [{ text: string }, { diagnostics: Diagnostic[]; clauses: ClauseInfo[] | null; combine: "max" | "sum" | "product" | null }];
  "query.complete": [{ text: string; position: number }, { completions: Completion[] }];
  "query.explain": [{ text: string }, { funnel: { label: string; rows: number }[] }];
  "query.format": [{ text: string }, { text: string }];
  "clause.add": [{ text: string; class_index: number; weight: number }, { text: string }];
  "clause.remove": [{ text: string; clause: number }, { text: string }];
  "clause.preset": [{ text: string; preset: PresetName; parameter?: number }, { text: string; reference: string }];
  "targets.solve": [{ text: string; targets: { class_index: number; share: number }[]; unit: Unit; max_repeats?: number }, { text: string; max_repeats: number; effective_sample_size: number; moved: { class_index: number; from: number; to: number }[] }];
  // At rest only. `text` = the query with the moved literals, clauses unchanged; `mode` and `seed` only when they changed.
  "weights.set": [{ weights: number[]; text: string; mode?: Mode; seed?: number }, Record<string, never>];
  "weights.keep": [{ steps: string }, Record<string, never>]; // what can be undone and redone of weights, for `hello`
  "grid.page": [{ start: number; stop: number; size: number }, { tiles: Tile[]; pool_size: number; token: string }]; // + JPEG buffers
  "grid.filter": [{ classes: number[]; how: GridFilter["how"]; states: SampleState[] }, { grid: GridState }]; // what is selected stays selected
  "grid.check_images": [Record<string, never>, { unreadable: number }]; // before the filter "unreadable": reads the images that may be, with progress
  "grid.sort": [{ sort: GridSort; descending?: boolean }, { grid: GridState }]; // descending by default but for query, row and tensors; what is selected stays selected
  "columns.list": [Record<string, never>, { columns: ColumnInfo[]; num_rows: number; data: string }]; // of what the query returns; without images and masks
  "columns.profile": [{ names: string[] }, { profiles: ColumnProfile[]; data: string }]; // at most 64
  // The text with the bars [first, last] selected in its WHERE, in place of other bars of the column; the selected ones are taken
  // out. `data`: as the profile came with; error Outdated with another.
  "columns.filter": [{ text: string; name: string; first: number; last: number; data: string }, { text: string }];
  "table.rows": [{ start: number; stop: number; names: string[] }, { rows: TableRow[]; token: string }]; // grid positions, or rows of a table result
  "sample.get": [{ position: number } | { uid: string; position?: number }, { sample: SampleDetail }]; // with both: there, if it still is there; + one JPEG (longest side <= 1024)
  // `window`: the values of the image that become black and white, of images with more than 8 bits; + one JPEG
  "sample.region": [{ uid: string; x: number; y: number; width: number; height: number; scale: number; window?: [number, number] }, { width: number; height: number }];
  "sample.levels": [{ uid: string }, { bits: number; low: number; high: number }]; // least and greatest value of its image; bits: 8 where a window means nothing
  "sample.history": [{ uid: string }, { entries: HistoryEntry[]; more: number }]; // the newest first, at most 50; what is not committed is on top
  "grid.unlabeled": [{ after: number }, { position: number | null; token: string }]; // the next sample without a label, from there on and around; null: none
  // `sources`: for each object (label with its box) its place in the sample as shown, -1 for a new one; `state`: of the sample as shown
  // `shapes`: only those that were edited; the box of an object follows its polygons. In the reply the sample's shapes come last, without its image.
  "edit.labels": [{ uid: string; labels: number[]; boxes?: number[]; sources?: number[]; shapes?: EditedShape[]; state?: string }, EditReply]; // + statistics buffers
  "edit.bulk": [{ add: number[]; remove: number[]; replace?: { from: number; to: number }[] }, EditReply]; // on the selection, one undo step; + statistics buffers
  "edit.new_class": [{ name: string }, EditReply];
  "classes.count": [{ classes: number[] }, { objects: number; samples: number }]; // in the whole dataset
  "classes.rename": [{ old: string; new: string }, EditReply];
  "classes.merge": [{ names: string[]; into: string }, EditReply];
  "classes.remove": [{ names: string[] }, EditReply]; // refused where a label has one
  "classes.recolor": [{ name: string; color: string | null }, EditReply]; // null: its usual color
  "edit.undo": [Record<string, never>, EditReply];
  "edit.redo": [Record<string, never>, EditReply];
  // Error ConflictError with `conflicts`; error Outdated where the edits are not those of the review with `token`
  "edit.commit": [{ message: string; on_conflict?: "ours" | "theirs"; token?: string } & ChosenEdits, EditReply];
  "edit.discard": [ChosenEdits, EditReply]; // one step that can be undone
  "review.page": [{ start: number; stop: number; size: number; marked?: string[] }, ReviewPage]; // at most 64 samples; + JPEG and shape buffers
  "draft.take_over": [Record<string, never>, EditReply]; // the edits of `holder` are this session's from now on; + statistics buffers
  "draft.branch": [{ name: string }, EditReply]; // go to a new branch, where nobody else edits
  "dataset.update": [Record<string, never>, EditReply]; // show the dataset as it is now; + statistics buffers
  "select.set": [{ intervals: [number, number][]; token?: string; keep_hidden?: boolean }, { grid: GridState }]; // grid positions [start, stop), keep_hidden: and what is selected but not shown; error Outdated with another token
  "plan.drawn": [{ num_epochs: number; weights: number[]; mode: Mode; seed: number }, { unique: number[]; counts: number[] }]; // from the loader's own stream: coverage dots; realized instances a class in epoch 0
  "plan.batches": [{ batch_size: number; num_batches: number; weights: number[]; mode: Mode; seed: number }, { counts: number[][] }]; // batch -> instances a class
  "live.follow": [{ on: boolean }, { live: LiveState | null }]; // whether weights that are set reach the running loader
  "signals.means": [{ name: string }, { classes: (number | null)[]; clauses: (number | null)[] }]; // of the pool, a class and a weight clause: the mean of what was reported of its samples
  "export.code": [{ batch_size: number; framework: "pytorch" | "numpy"; resize?: number | null; schedule?: boolean | null }, { code: string; note: string | null }]; // error UncommittedChangesError when dirty; note: of what else than the charts showed
  "dataset.info": [Record<string, never>, { path: string; rows: { name: string; value: string }[] }]; // its notes, `ds.info`
  "export.formats": [Record<string, never>, { folder: string; formats: ExportFormat[] }]; // folder: where the kernel is
  "export.annotations": [AnnotationsRequest & { overwrite: boolean }, { path: string; exists: "file" | "folder" | null; report: ExportReport | null }]; // exists: nothing was done, overwrite is to be asked for; with progress; cancelling leaves nothing
  "export.annotations_code": [AnnotationsRequest, { code: string }];
  "views.save": [{ message: string }, { views: SavedView[] }];
  "views.open": [{ id: string }, Display & { history: string[] }];
}

/** A page without a kernel answers for itself, as far as it can. */
export interface PageInfo {
  answers: (keyof Ops)[];
  why: string; // why the others are not there, one sentence
}

/** All that is displayed, of one state of the dataset; the statistics' arrays are the buffers. */
export interface Display {
  dataset: DatasetInfo;
  query: QueryState;
  grid: GridState;
}

export interface SavedView {
  id: string;
  message: string;
  query: string;
  num_samples: number;
}

export type EventMessage =
  | { v: 1; event: "progress"; id: string; done: number; total: number | null; what: string }
  | { v: 1; event: "dataset"; dataset: DatasetInfo }
  | ({ v: 1; event: "query" } & Display) // + statistics buffers
  | { v: 1; event: "grid"; grid: GridState } // filter, order or selection changed
  | { v: 1; event: "live"; live: LiveState | null }
  | { v: 1; event: "warning"; message: string };

/** What is drawn when the kernel does not answer; kept in the `snapshot` trait, at most 16 KB. Empty object before the first run. */
export interface Snapshot {
  dataset: { name: string; version: string; num_samples: number };
  query: string;
  pool_size: number;
  draws: number;
  mode: Mode;
  seed: number;
  unit: Unit;
  bars: { name: string; class_index: number; raw: number; expected: number; low: number; high: number }[]; // <= 60, most frequent first
  coverage: { share: number; low: number; high: number }[]; // after epoch 0 (share 0), 1, ... 20
}

/** The one runtime model of a kernel; `_runtime` of every widget is "anywidget:<its model id>". The stub imports gunzip(code) once per `sha`. */
export type RuntimeState = {
  code: DataView; // gzip of the ES module
  sha: string; // sha256 of `code`, hex
};

/** Synced traits of every penstock widget; snake_case as in Python. */
export type WidgetState = {
  _runtime: string;
  _kind: "explorer" | "browser" | "label_editor" | "query_editor" | "weight_tuner" | "coverage_view";
  query: string;
  query_draft: string;
  weights: DataView; // float64, clause order
  mode: Mode;
  seed: number;
  size: number | null;
  unit: Unit;
  labels: string | null;
  theme: "auto" | "light" | "dark";
  selection: { count: number; uids: string[]; token: string };
  snapshot: Snapshot | Record<string, never>;
  height: number; // CSS pixels
  panel: PanelState;
};

/** How the panels are set, kept so that a reload shows them as they were; written by the browser alone. */
export interface PanelState {
  tiles?: "small" | "medium" | "large";
  boxes?: boolean;
  hidden?: number[]; // classes whose boxes are not drawn
  uid?: string; // the sample on show
  opened?: boolean; // the panel of the sample is open
  beside?: number; // its width beside the grid, pixels
  under?: number; // its height under the grid, pixels
}
