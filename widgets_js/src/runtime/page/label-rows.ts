// Which samples meet a condition on class labels: what penstock.tql answers, row for row.
import { type Condition, needsKernel, type Word, wrong } from "./label-query.ts";

/** The labels of a tensor, sample after sample. */
export interface LabelColumn {
  name: string;
  classNames: readonly string[];
  single: boolean; // every sample has one label at most: it compares with a class
  offsets: Int32Array;
  values: Int32Array;
}

export type Mask = Uint8Array;

export function rowsMeeting(condition: Condition, columns: readonly LabelColumn[], numSamples: number): Mask {
  switch (condition.op) {
    case "constant":
      return new Uint8Array(numSamples).fill(Number(condition.value));
    case "not":
      return rowsMeeting(condition.operand, columns, numSamples).map((held) => 1 - held);
    case "and":
    case "or": {
      const left = rowsMeeting(condition.left, columns, numSamples);
      const right = rowsMeeting(condition.right, columns, numSamples);
      return condition.op === "and"
        ? left.map((held, i) => held & (right[i] as number))
        : left.map((held, i) => held | (right[i] as number));
    }
    default:
      return labeled(condition, columns, numSamples);
  }
}

type Labeled = Exclude<Condition, { op: "constant" | "not" | "and" | "or" }>;

function labeled(condition: Labeled, columns: readonly LabelColumn[], numSamples: number): Mask {
  const column = columns.find(({ name }) => name === condition.column);
  if (column === undefined) throw needsKernel(condition);
  if (condition.op === "contains") return having(column, matched(condition.word, column), numSamples);
  if (!column.single) {
    throw wrong(
      `ambiguous condition: ${column.name} has several elements per row. Hint: write contains(${column.name}, ...)`,
      condition,
      "QueryBindError",
    );
  }
  const words = condition.op === "in" ? condition.words : [condition.word];
  const held = having(column, new Set(words.map((word) => classOf(word, column))), numSamples);
  // a sample without a label is neither the class nor another one
  return condition.negated ? held.map((one, i) => (one || isBare(column, i) ? 0 : 1)) : held;
}

function isBare({ offsets }: LabelColumn, sample: number): boolean {
  return offsets[sample] === offsets[sample + 1];
}

function having({ offsets, values }: LabelColumn, classes: ReadonlySet<number>, numSamples: number): Mask {
  const mask = new Uint8Array(numSamples);
  for (let i = 0; i < numSamples; i++) {
    for (let j = offsets[i] as number; j < (offsets[i + 1] as number); j++) {
      if (classes.has(values[j] as number)) {
        mask[i] = 1;
        break;
      }
    }
  }
  return mask;
}

function classOf(word: Word, { name, classNames }: LabelColumn): number {
  if (word.kind === "int") return word.value as number;
  const wanted = word.value as string;
  const index = classNames.indexOf(wanted);
  if (index >= 0) return index;
  if (classNames.length === 0 && /^\d+$/.test(wanted)) return Number(wanted);
  const shown = `${classNames.slice(0, 8).join(", ")}${classNames.length > 8 ? ", …" : ""}`;
  const like = classNames.find((one) => one.toLowerCase() === wanted.toLowerCase());
  throw wrong(
    `'${wanted}' is not a class of ${name}. Expected one of: ${shown}`,
    word,
    "QueryBindError",
    like && quoted(like),
  );
}

/** The classes that contains asks for: one, or all that a pattern with * and ? matches. */
function matched(word: Word, column: LabelColumn): Set<number> {
  const wanted = word.value;
  if (typeof wanted === "number" || column.classNames.includes(wanted) || !/[*?]/.test(wanted))
    return new Set([classOf(word, column)]);
  const source = wanted.replace(/[.*+?^${}()|[\]\\]/g, (c) => (c === "*" ? ".*" : c === "?" ? "." : `\\${c}`));
  const pattern = new RegExp(`^${source}$`, "su");
  const found = [...column.classNames.keys()].filter((index) => pattern.test(column.classNames[index] as string));
  if (found.length === 0) {
    const shown = column.classNames.slice(0, 8).join(", ");
    throw wrong(`no class matches '${wanted}'. Expected one of: ${shown}`, word, "QueryBindError");
  }
  return new Set(found);
}

export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

const RESERVED_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A column as TQL writes it; a name that may be a keyword is quoted, which never harms. */
export function quotedName(name: string, keywords: ReadonlySet<string>): string {
  return RESERVED_NAME.test(name) && !keywords.has(name.toUpperCase()) ? name : `"${name.replaceAll('"', '""')}"`;
}
