// Queries rewritten as penstock.tql rewrites them: clauses added and removed, weighed by presets.
import type { ClauseInfo, ConditionInfo, GridFilter, Ops, QueryState } from "../../session/protocol.ts";
import { type Condition, needsKernel, parseQuery, RESERVED, Refusal, type Sampling } from "./label-query.ts";
import { type LabelColumn, quoted, quotedName } from "./label-rows.ts";
import { spread, type WeightTable, type WeightTables } from "./weight-tables.ts";

const NUMBER = "(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?";

/** The clauses of `text` if it is a query that Python ran but for the numbers of its weights, else null. */
export function matchesKept(text: string, { text: kept, clauses }: QueryState): ClauseInfo[] | null {
  if (text === kept) return [...clauses];
  const placed = clauses.filter(({ from }) => from !== null).sort((a, b) => (a.from as number) - (b.from as number));
  let at = 0;
  const found = new Map<ClauseInfo, ClauseInfo>();
  let end = 0;
  for (const clause of placed) {
    const before = kept.slice(end, clause.from as number);
    if (!text.startsWith(before, at)) return null;
    at += before.length;
    const number = new RegExp(NUMBER, "y");
    number.lastIndex = at;
    const literal = number.exec(text)?.[0];
    if (literal === undefined) return null;
    found.set(clause, { ...clause, weight: Number(literal), from: at, to: at + literal.length });
    at += literal.length;
    end = clause.to as number;
  }
  if (text.slice(at) !== kept.slice(end)) return null;
  return clauses.map((clause) => found.get(clause) ?? clause);
}

export function placedClauses(
  text: string,
  sampling: Sampling,
  labels: LabelColumn | undefined,
  tables: WeightTables = NO_TABLES,
): ClauseInfo[] {
  return spread(sampling, tables).map(({ clause: { condition, literal, table }, classIndex, weight }) => {
    if (table !== undefined && classIndex !== null) return tableClause(table, classIndex, weight, labels);
    const expression = text.slice(condition.from, condition.to);
    const name = askedClass(condition);
    const index =
      labels === undefined || askedColumn(condition) !== labels.name ? -1 : labels.classNames.indexOf(name ?? "");
    const everything = condition.op === "constant" && condition.value;
    return {
      expression,
      label: everything ? "everything else" : (name ?? expression),
      class_index: index < 0 ? null : index,
      weight,
      from: literal.from,
      to: literal.to,
    };
  });
}

function tableClause(
  { column, name }: { column: string; name: string },
  index: number,
  weight: number,
  labels: LabelColumn | undefined,
): ClauseInfo {
  if (labels === undefined || labels.name !== column) throw needsKernel();
  const label = labels.classNames[index] ?? `class ${index}`;
  return {
    expression: conditionOf(labels, index),
    label,
    class_index: index,
    weight,
    from: null,
    to: null,
    table: name,
  };
}

function asksOne(condition: Condition): condition is Extract<Condition, { op: "contains" | "equals" }> {
  return condition.op === "contains" || (condition.op === "equals" && !condition.negated);
}

function askedClass(condition: Condition): string | null {
  return asksOne(condition) && condition.word.kind === "text" ? String(condition.word.value) : null;
}

function askedColumn(condition: Condition): string | null {
  return asksOne(condition) ? condition.column : null;
}

function conditionOf({ name, classNames }: LabelColumn, index: number): string {
  return `contains(${quotedName(name, RESERVED)}, ${quoted(classNames[index] ?? String(index))})`;
}

function numberText(value: number, digits: number): string {
  return String(Number(value.toPrecision(digits)));
}

export function withClause(text: string, labels: LabelColumn, index: number, weight: number): string {
  const { sampling, end } = parseQuery(text);
  const pair = `${conditionOf(labels, index)}: ${numberText(weight, 12)}`;
  if (sampling === null) return `${text.slice(0, end)} sample by max_weight(${pair}, True: 1)${text.slice(end)}`;
  const last = sampling.clauses.at(-1);
  if (last === undefined) throw needsKernel();
  if (last.condition.op === "constant" && last.condition.value)
    return `${text.slice(0, last.from)}${pair}, ${text.slice(last.from)}`;
  return `${text.slice(0, last.to)}, ${pair}${text.slice(last.to)}`;
}

export function withoutClause(text: string, clause: number, tables: WeightTables = NO_TABLES): string {
  const { sampling } = parseQuery(text);
  const gone = sampling === null ? undefined : spread(sampling, tables)[clause]?.clause;
  if (sampling === null || gone === undefined)
    throw new Refusal({ code: "SamplingError", message: `clause ${clause} does not exist` });
  const { clauses } = sampling;
  if (clauses.length === 1) return text.slice(0, sampling.from).trimEnd() + text.slice(sampling.to);
  const place = clauses.indexOf(gone);
  const next = clauses[place + 1];
  if (next !== undefined) return text.slice(0, gone.from) + text.slice(next.from);
  return text.slice(0, clauses[place - 1]?.to) + text.slice(gone.to);
}

/** Conditions that AND joins; what parentheses hold is one. */
export function conditionsOf(text: string, where: Condition | null): ConditionInfo[] {
  if (where === null) return [];
  const parts = (node: Condition): Condition[] =>
    node.op === "and" && node.from === node.left.from ? [...parts(node.left), node.right] : [node];
  return parts(where).map(({ from, to }) => ({ text: text.slice(from, to).split(/\s+/).join(" "), from, to }));
}

/** The text without a condition of its WHERE; with the last one WHERE goes. */
export function withoutCondition(text: string, conditions: readonly ConditionInfo[], at: number): string {
  const gone = conditions[at];
  if (gone === undefined) throw new Refusal({ code: "BadRequest", message: `condition ${at} does not exist` });
  const [before, after] = [conditions[at - 1], conditions[at + 1]];
  if (after !== undefined) return text.slice(0, gone.from) + text.slice(after.from);
  if (before !== undefined) return text.slice(0, before.to) + text.slice(gone.to);
  const head = text.slice(0, gone.from).replace(/\s*\bwhere\s*$/i, "");
  const tail = text.slice(gone.to);
  return head + (/^\s/.test(tail) || /^[\s;]*$/.test(tail) ? tail : ` ${tail}`);
}

/** The text with what a filter shows as one more condition of its WHERE. */
export function narrowed(text: string, { classes, how, states }: GridFilter, labels: LabelColumn): string {
  const { where, limit, offset, sampling, end } = parseQuery(text);
  if (states.length > 0 || classes.length === 0 || limit !== null || offset !== null) throw needsKernel();
  const each = classes.map((index) => `${how === "not" ? "not " : ""}${conditionOf(labels, index)}`);
  const any = how === "any" && each.length > 1;
  const condition = any ? `(${each.join(" or ")})` : each.join(" and ");
  if (where === null) {
    const last = sampling === null ? end : text.slice(0, sampling.from).trimEnd().length;
    return `${text.slice(0, last)} where ${condition}${text.slice(last)}`;
  }
  const held = text.slice(where.from, where.to);
  const whole = where.op === "or" && where.from === where.left.from ? `(${held})` : held;
  return `${text.slice(0, where.from)}${whole} and ${condition}${text.slice(where.to)}`;
}

type Preset = Ops["clause.preset"][0]["preset"];

const REFERENCES: Record<Preset, string> = {
  raw: "all samples have the same weight",
  balanced:
    "M. Buda, A. Maki, M. A. Mazurowski, A systematic study of the class imbalance problem in convolutional neural networks, 2018",
  square_root: "D. Mahajan et al., Exploring the limits of weakly supervised pretraining, 2018",
  effective_number: "Y. Cui et al., Class-balanced loss based on effective number of samples, 2019",
  repeat_factor: "A. Gupta, P. Dollar, R. Girshick, LVIS: a dataset for large vocabulary instance segmentation, 2019",
};
const MOST_CLAUSES = 40; // more are written as one term, with a table of weights
const NO_TABLES: WeightTables = new Map();

/** Raw: every weight 1. */
export function withoutWeights(text: string, clauses: readonly ClauseInfo[]): { text: string; reference: string } {
  if (clauses.some(({ table }) => table != null)) return { text: everyOne(text), reference: REFERENCES.raw };
  const literals = clauses.filter(({ from }) => from !== null).sort((a, b) => (b.from as number) - (a.from as number));
  const rest = (before: string, { from, to }: ClauseInfo) =>
    `${before.slice(0, from as number)}1${before.slice(to as number)}`;
  return { text: literals.reduce(rest, text), reference: REFERENCES.raw };
}

/** `addTable` keeps a table of weights and returns its name. */
export function withPreset(
  text: string,
  preset: Exclude<Preset, "raw">,
  parameter: number | undefined,
  labels: LabelColumn,
  pool: Int32Array,
  addTable: (stem: string, table: WeightTable) => string,
): { text: string; reference: string } {
  const reference = REFERENCES[preset];
  const { sampling } = parseQuery(text);
  const counts = samplesWith(labels, pool);
  const found = presetWeights(preset, parameter, [...counts.values()], pool.length);
  const weights = new Map([...counts.keys()].map((id, i) => [id, numberText(found[i] as number, 6)]));
  const pairs =
    weights.size < MOST_CLAUSES
      ? [...weights].map(([id, weight]) => `${conditionOf(labels, id)}: ${weight}`)
      : [tableTerm(labels, addTable(preset, new Map([...weights].map(([id, weight]) => [id, Number(weight)]))))];
  const kept = keptPairs(text, sampling, labels);
  return { text: withTerm(text, `max_weight(${[...kept, ...pairs, "True: 1"].join(", ")})`), reference };
}

function tableTerm({ name }: LabelColumn, table: string): string {
  return `classes(${quotedName(name, RESERVED)}, $${table})`;
}

/** The text with other weights in its SAMPLE BY. */
function withTerm(text: string, term: string): string {
  const { sampling, end } = parseQuery(text);
  if (sampling === null) return `${text.slice(0, end)} sample by ${term}${text.slice(end)}`;
  const close = text.indexOf(")", sampling.clauses.at(-1)?.to) + 1;
  return `${text.slice(0, sampling.from)}sample by ${term}${text.slice(close)}`;
}

/** Weight 1 where the text has a number, and no table. */
function everyOne(text: string): string {
  const terms = (parseQuery(text).sampling?.clauses ?? []).filter(({ table }) => table === undefined);
  const ones = terms.map(({ from, literal }) => `${text.slice(from, literal.from)}1`);
  return withTerm(text, `max_weight(${(ones.length > 0 ? ones : ["True: 1"]).join(", ")})`);
}

/** Clauses that ask for no class and not for every sample, as they are written. */
function keptPairs(text: string, sampling: Sampling | null, labels: LabelColumn): string[] {
  if (sampling === null || sampling.combine !== "max") return [];
  const others = sampling.clauses.filter(({ table }) => table === undefined);
  const infos = placedClauses(text, { ...sampling, clauses: others }, labels);
  return others
    .filter(({ condition }, i) => infos[i]?.class_index === null && condition.op !== "constant")
    .map(({ from, to }) => text.slice(from, to));
}

/** Samples of the pool with each class that occurs, in class order. */
function samplesWith({ offsets, values }: LabelColumn, pool: Int32Array): Map<number, number> {
  const counts = new Map<number, number>();
  for (const place of pool) {
    const classes = new Set(values.subarray(offsets[place], offsets[place + 1]));
    for (const id of classes) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return new Map([...counts].sort(([a], [b]) => a - b));
}

function presetWeights(
  preset: Exclude<Preset, "raw">,
  parameter: number | undefined,
  counts: number[],
  numRows: number,
): number[] {
  if (preset === "repeat_factor") {
    const threshold = parameter ?? 0.001;
    return counts.map((n) => Math.max(1, Math.sqrt(threshold / (n / Math.max(numRows, 1)))));
  }
  const beta = parameter ?? 0.999;
  const rule: Record<string, (n: number) => number> = {
    balanced: (n) => 1 / n,
    square_root: (n) => 1 / Math.sqrt(n),
    effective_number: (n) => (beta > 0 ? -1 / Math.expm1(n * Math.log1p(beta - 1)) : 1),
  };
  const raw = counts.map((n) => rule[preset]?.(n) ?? 1);
  const least = Math.min(...raw);
  return raw.map((weight) => weight / least);
}
