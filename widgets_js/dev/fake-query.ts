// Texts of queries for the scripted kernel: a few patterns in place of penstock's own language.
import type { ClauseInfo, StatisticsArray, StatisticsHeader } from "../src/session/protocol.ts";

/** The first class of a text that there is not. */
export function lint(text: string, names: readonly string[]) {
  for (const match of text.matchAll(/'(\w+)'/g)) {
    const name = match[1] ?? "";
    if (names.includes(name)) continue;
    const near = names.find((one) => one[0] === name[0]);
    const hint = near === undefined ? "" : "; did you mean";
    return [
      {
        from: match.index,
        to: match.index + match[0].length,
        severity: "error",
        message: `no class '${name}' in labels${hint}`,
        fix: near === undefined ? null : `'${near}'`,
      },
    ];
  }
  return [];
}

export function complete(text: string, position: number, names: readonly string[], counts: readonly number[]) {
  const typed = /[\w']*$/.exec(text.slice(0, position))?.[0] ?? "";
  const choices = [
    ...names.map((name) => ({
      label: name,
      insert: `'${name}'`,
      kind: "class",
      detail: `${counts[names.indexOf(name)]}`,
    })),
    { label: "contains", insert: "contains(", kind: "function", detail: "(tensor, value)" },
    { label: "where", insert: "where ", kind: "keyword", detail: "" },
  ];
  const words = typed.replace("'", "").toLowerCase();
  return choices
    .filter((one) => one.label.toLowerCase().startsWith(words))
    .map((one) => ({ ...one, from: position - typed.length, to: position }));
}

export function clausesOf(text: string, names: readonly string[]): ClauseInfo[] {
  return [...text.matchAll(/(contains\(labels, '(\w+)'\)|True): ([\d.]+)/g)].map((match) => {
    const from = match.index + (match[1]?.length ?? 0) + 2;
    const name = match[2];
    return {
      expression: match[1] ?? "",
      label: name ?? "everything else",
      class_index: name === undefined ? null : names.indexOf(name),
      weight: Number(match[3]),
      from,
      to: from + (match[3]?.length ?? 0),
    };
  });
}

export function added(text: string, name: string | undefined, weight: number): string {
  const clause = `contains(labels, '${name}'): ${weight}`;
  return text.includes("max_weight(")
    ? text.replace("max_weight(", `max_weight(${clause}, `)
    : `${text} sample by max_weight(${clause}, True: 1)`;
}

export function balanced(names: readonly string[], counts: readonly number[]): string {
  const terms = counts.map(
    (n, k) => `contains(labels, '${names[k]}'): ${Number(((counts[0] ?? 1) / n).toPrecision(3))}`,
  );
  return `select * sample by max_weight(${terms.reverse().slice(0, 4).join(", ")}, True: 1)`;
}

/** Strata by clause pattern, counted row by row; `pool`: the labels of each sample. */
export function statisticsOf(
  clauses: readonly ClauseInfo[],
  pool: readonly (readonly number[])[],
  numClasses: number,
): { header: StatisticsHeader; buffers: ArrayBuffer[] } {
  const strata = new Map<string, { clauses: number[]; size: number; classes: Map<number, [number, number, number]> }>();
  for (const labels of pool) {
    const pattern = clauses.flatMap((clause, k) =>
      clause.class_index === null || labels.includes(clause.class_index) ? [k] : [],
    );
    const key = pattern.join();
    const stratum = strata.get(key) ?? { clauses: pattern, size: 0, classes: new Map() };
    strata.set(key, stratum);
    stratum.size++;
    for (const label of new Set(labels)) {
      const k = labels.filter((one) => one === label).length;
      const [rows, sum, squares] = stratum.classes.get(label) ?? [0, 0, 0];
      stratum.classes.set(label, [rows + 1, sum + k, squares + k * k]);
    }
  }
  const all = [...strata.values()];
  const classes = all.map((one) => [...one.classes].sort(([a], [b]) => a - b));
  const offsets = (lists: unknown[][]): number[] => [
    0,
    ...lists.map((_, i) => lists.slice(0, i + 1).reduce((sum, list) => sum + list.length, 0)),
  ];
  const flat = (i: 0 | 1 | 2): number[] => classes.flatMap((list) => list.map(([, counts]) => counts[i]));
  const arrays: [StatisticsArray, "float64" | "int32", number[]][] = [
    ["sizes", "float64", all.map((one) => one.size)],
    ["clause_offsets", "int32", offsets(all.map((one) => one.clauses))],
    ["clause_ids", "int32", all.flatMap((one) => one.clauses)],
    ["class_offsets", "int32", offsets(classes)],
    ["class_ids", "int32", classes.flatMap((list) => list.map(([id]) => id))],
    ["rows_with_class", "float64", flat(0)],
    ["instances", "float64", flat(1)],
    ["instances_squared", "float64", flat(2)],
  ];
  const header: StatisticsHeader = {
    num_rows: pool.length,
    num_strata: all.length,
    num_classes: numClasses,
    num_clauses: clauses.length,
    arrays: arrays.map(([name, dtype, values]) => ({ name, dtype, length: values.length })),
    level: "clauses",
    bin_error: 0,
  };
  return {
    header,
    buffers: arrays.map(
      ([, dtype, values]) =>
        (dtype === "int32" ? new Int32Array(values) : new Float64Array(values)).buffer as ArrayBuffer,
    ),
  };
}
