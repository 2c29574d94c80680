// A session over the scripted model: six classes of shapes, and the clauses a test asks for.
import type {
  ClauseInfo,
  DatasetInfo,
  Display,
  GridState,
  Mode,
  QueryState,
  StatisticsArray,
  StatisticsHeader,
} from "../src/session/protocol.ts";
import { createSession, type Session } from "../src/session/session.ts";
import type { Statistics } from "../src/session/statistics-arrays.ts";
import { FakeModel } from "./fake-model.ts";
import { type Stratum, statisticsOf } from "./strata.ts";

export const SHAPES = ["Circle", "Square", "Triangle", "Star", "Ring", "Cross"];
const COUNTS = [412, 208, 131, 54, 31, 12];

export function dataset(names = SHAPES, counts = COUNTS): DatasetInfo {
  return {
    name: "shapes",
    version: "3f2a9c",
    branch: "main",
    num_samples: 600,
    num_edits: 0,
    uncommitted: false,
    paired: false,
    single_label: false,
    holder: null,
    behind: null,
    read_only: false,
    opened: "dataset",
    tensors: [],
    scalar_tensors: [],
    image_tensor: "images",
    box_tensor: "boxes",
    label_tensor: "labels",
    class_names: names,
    class_counts: counts,
    skeletons: {},
    class_colors: {},
    classes_fixed: null,
    can_undo: null,
    can_redo: null,
  };
}

const ARRAYS: [StatisticsArray, keyof Statistics, "float64" | "int32"][] = [
  ["sizes", "sizes", "float64"],
  ["clause_offsets", "clauseOffsets", "int32"],
  ["clause_ids", "clauseIds", "int32"],
  ["class_offsets", "classOffsets", "int32"],
  ["class_ids", "classIds", "int32"],
  ["rows_with_class", "rowsWithClass", "float64"],
  ["instances", "instances", "float64"],
  ["instances_squared", "instancesSquared", "float64"],
];

export function packed(statistics: Statistics): { header: StatisticsHeader; buffers: DataView[] } {
  const arrays = ARRAYS.map(([name, key, dtype]) => ({
    name,
    dtype,
    array: statistics[key] as Float64Array | Int32Array,
  }));
  return {
    header: {
      ...statistics.header,
      arrays: arrays.map(({ name, dtype, array }) => ({ name, dtype, length: array.length })),
    },
    buffers: arrays.map(({ array }) => new DataView(array.buffer, array.byteOffset, array.byteLength)),
  };
}

/** Literal spans as the kernel tells them. */
export function boundClauses(
  text: string,
  clauses: { expression: string; label: string; class_index: number | null; weight: number }[],
): ClauseInfo[] {
  let at = 0;
  return clauses.map((clause) => {
    const from = text.indexOf(`${clause.expression}: `, at) + clause.expression.length + 2;
    const to = from + (/^[\d.]+/.exec(text.slice(from))?.[0].length ?? 0);
    at = to;
    return { ...clause, from, to };
  });
}

export interface Scenario {
  weights?: Record<number, number>; // class -> weight; none: no SAMPLE BY
  everythingElse?: number | null; // null: no True clause
  mode?: Mode;
  draws?: number;
  combine?: "max" | "sum" | "product";
  strata?: (clauseOf: Map<number, number>, fallback: number | null) => Stratum[];
  names?: string[];
  counts?: number[];
}

/** Rows of the shapes: [size, classes with instances a row]. */
const ROWS: [number, Record<number, number>][] = [
  [180, { 0: 1 }],
  [70, { 0: 2 }],
  [60, { 1: 1 }],
  [60, { 0: 1, 1: 1 }],
  [34, { 1: 2, 3: 1 }],
  [60, { 2: 1 }],
  [51, { 2: 1, 0: 0 }],
  [20, { 2: 1, 1: 1 }],
  [12, { 3: 1, 0: 1 }],
  [8, { 3: 1 }],
  [20, { 4: 1 }],
  [11, { 4: 1, 0: 1 }],
  [9, { 5: 1 }],
  [3, { 5: 1, 0: 3 }],
  [2, {}],
];

function shapeStrata(clauseOf: Map<number, number>, fallback: number | null): Stratum[] {
  return ROWS.map(([size, content]) => {
    const classes: Stratum["classes"] = {};
    const clauses: number[] = [];
    for (const [id, k] of Object.entries(content)) {
      if (k === 0) continue;
      classes[Number(id)] = [size, size * k, size * k * k];
      const clause = clauseOf.get(Number(id));
      if (clause !== undefined) clauses.push(clause);
    }
    if (fallback !== null) clauses.push(fallback);
    return { size, clauses: clauses.sort((a, b) => a - b), classes };
  });
}

export function queryState(scenario: Scenario = {}): { query: QueryState; buffers: DataView[] } {
  const names = scenario.names ?? SHAPES;
  const named = Object.entries(scenario.weights ?? {}).map(([id, weight]) => ({ id: Number(id), weight }));
  const fallback = scenario.everythingElse === undefined ? 1 : scenario.everythingElse;
  const clauses = named.map(({ id, weight }) => ({
    expression: `contains(labels, '${names[id]}')`,
    label: names[id] ?? "",
    class_index: id as number | null,
    weight,
  }));
  if (fallback !== null)
    clauses.push({ expression: "True", label: "everything else", class_index: null, weight: fallback });
  const sampling = named.length > 0;
  const combine = scenario.combine ?? "max";
  const inside = clauses.map(({ expression, weight }) => `${expression}: ${weight}`).join(", ");
  const text = sampling ? `select * sample by ${combine}_weight(${inside})` : "select *";
  const clauseOf = new Map(named.map(({ id }, i) => [id, i]));
  const strata = (scenario.strata ?? shapeStrata)(clauseOf, fallback === null ? null : named.length);
  const statistics = statisticsOf(strata, sampling ? clauses.length : 1, names.length);
  const { header, buffers } = packed(statistics);
  const query: QueryState = {
    text,
    kind: "rows",
    num_rows: header.num_rows,
    pool_size: header.num_rows,
    draws: scenario.draws ?? header.num_rows,
    ms: 1.8,
    combine,
    cap: null,
    replace: true,
    mode: scenario.mode ?? "iid",
    seed: 0,
    clauses: sampling ? boundClauses(text, clauses) : [],
    conditions: [],
    has_sampling: sampling,
    funnel: [],
    emptied_by: null,
    rare_classes: [5, 4, 3],
    statistics: header,
    table: null,
    warnings: [],
    followed: null,
  };
  return { query, buffers };
}

export function gridState(size: number, classIndex: number | null = null): GridState {
  return {
    rev: 1,
    filter: { classes: classIndex === null ? [] : [classIndex], how: "any", states: [] },
    sort: "query",
    descending: false,
    size,
    token: `${classIndex}`,
    data: "1",
    selection: [],
    num_selected: 0,
  };
}

/** All that the kernel says of a query that ran. */
export function shown(query: QueryState): Display {
  return { dataset: dataset(), query, grid: gridState(query.pool_size) };
}

/** A live session that has said hello; other requests wait in `model.sent`. */
export function liveSession(scenario: Scenario = {}): { session: Session; model: FakeModel } {
  const model = new FakeModel({ mode: scenario.mode ?? "iid" });
  const session = createSession(model);
  session.start();
  const hello = model.sent.find(({ op }) => op === "hello");
  const { query, buffers } = queryState(scenario);
  const grid = gridState(query.pool_size);
  const welcome = {
    dataset: dataset(scenario.names, scenario.counts),
    query,
    grid,
    draft: null,
    history: [],
    views: [],
  };
  model.reply(hello?.id ?? "", welcome, buffers);
  return { session, model };
}

/** Let replies and renders through. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}
