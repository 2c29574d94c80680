// A query about class labels, run on the samples of a page: its pool, and the strata that charts are drawn from.
import type { DatasetInfo, QueryState } from "../../session/protocol.ts";
import { type LabelQuery, needsKernel, parseQuery, type Sampling, wrong } from "./label-query.ts";
import { type LabelColumn, type Mask, rowsMeeting } from "./label-rows.ts";
import type { Samples } from "./samples.ts";
import { countStrata, hasClass, type Labels, type Matches } from "./strata.ts";
import { conditionsOf, placedClauses } from "./texts.ts";
import { type Spread, spread, type WeightTables } from "./weight-tables.ts";

export interface Ran {
  query: QueryState;
  buffers: DataView[];
  pool: Int32Array; // places of the samples
  strata: Int32Array | null; // of each position of the pool; null: not known
}

const NO_SAMPLING: Omit<Sampling, "from" | "to"> = {
  combine: "max",
  clauses: [],
  cap: null,
  replace: true,
  size: null,
};

export function ranQuery(
  text: string,
  samples: Samples,
  dataset: DatasetInfo,
  before: QueryState,
  tables: WeightTables,
): Ran {
  const started = performance.now();
  const parsed = parseQuery(text);
  const met =
    parsed.where === null
      ? Int32Array.from(samples.rows.keys())
      : placesIn(rowsMeeting(parsed.where, samples.columns, samples.count));
  const pool = limited(met, parsed);
  const clauses = spread(parsed.sampling ?? NO_SAMPLING, tables);
  const matches = matchesOf(parsed, clauses, samples);
  if (parsed.sampling !== null) checkDrawable(parsed.sampling, clauses, pool, matches);
  const column = samples.column(dataset.label_tensor);
  const labels = column && { ...column, numClasses: dataset.class_names.length };
  const { header, buffers, ids } = countStrata(pool, matches, labels ?? null);
  const sampling = parsed.sampling ?? NO_SAMPLING;
  const funnel = funnelOf(text, parsed, [samples.count, met.length, pool.length]);
  const query: QueryState = {
    ...before,
    text,
    kind: "rows",
    num_rows: samples.count,
    pool_size: pool.length,
    draws: sampling.size ?? pool.length,
    ms: Math.round((performance.now() - started) * 1000) / 1000,
    combine: sampling.combine,
    cap: sampling.cap,
    replace: sampling.replace,
    conditions: conditionsOf(text, parsed.where),
    clauses: parsed.sampling === null ? [] : placedClauses(text, parsed.sampling, column, tables),
    has_sampling: parsed.sampling !== null,
    funnel,
    emptied_by: funnel.find(({ rows }) => rows === 0)?.label ?? null,
    rare_classes: labels === undefined ? [] : rarest(labels, pool),
    statistics: header,
    table: null,
    preset: null,
    warnings: [],
    followed: null,
  };
  return { query, buffers, pool, strata: ids };
}

function checkDrawable(
  sampling: Sampling,
  clauses: readonly Spread[],
  pool: Int32Array,
  matches: readonly Matches[],
): void {
  if (pool.length === 0) throw wrong("there is nothing to sample: the pool is empty", sampling, "SamplingError");
  const drawn = ({ weight }: Spread, k: number): boolean => {
    const one = matches[k] as Matches;
    return weight > 0 && pool.some((place) => (one instanceof Uint8Array ? one[place] === 1 : hasClass(one, place)));
  };
  if (sampling.combine !== "product" && !clauses.some(drawn))
    throw wrong("all weights are zero, so nothing can be drawn", sampling, "SamplingError");
}

/** Without SAMPLE BY one clause matches every row. */
function matchesOf({ sampling }: LabelQuery, clauses: readonly Spread[], samples: Samples): Matches[] {
  if (sampling === null) return [new Uint8Array(samples.count).fill(1)];
  return clauses.map(({ clause, classIndex }) => {
    if (classIndex === null) return rowsMeeting(clause.condition, samples.columns, samples.count);
    const column = samples.columns.find(({ name }) => name === clause.table?.column);
    if (column === undefined) throw needsKernel(clause);
    return { column, classIndex };
  });
}

function placesIn(mask: Mask): Int32Array {
  return Int32Array.from(mask.keys()).filter((place) => mask[place] === 1);
}

function limited(met: Int32Array, { limit, offset }: LabelQuery): Int32Array {
  const start = offset ?? 0;
  return met.slice(start, limit === null ? undefined : start + limit);
}

function funnelOf(
  text: string,
  { where, limit, offset, sampling }: LabelQuery,
  [rows, met, pool]: [number, number, number],
): QueryState["funnel"] {
  const steps = [{ label: "rows", rows }];
  if (where !== null) steps.push({ label: `where ${text.slice(where.from, where.to)}`, rows: met });
  if (limit !== null || offset !== null) steps.push({ label: limit === null ? "offset" : "limit", rows: pool });
  if (sampling !== null) steps.push({ label: "sample by", rows: sampling.size ?? pool });
  return steps;
}

/** Up to three classes with the fewest instances in the pool. */
function rarest({ offsets, values, numClasses }: Labels & LabelColumn, pool: Int32Array): number[] {
  const counts = new Float64Array(numClasses);
  for (const place of pool) {
    for (const id of values.subarray(offsets[place], offsets[place + 1])) counts[id] = (counts[id] ?? 0) + 1;
  }
  const present = [...counts.keys()].filter((id) => (counts[id] as number) > 0);
  return present.sort((a, b) => (counts[a] as number) - (counts[b] as number) || a - b).slice(0, 3);
}
