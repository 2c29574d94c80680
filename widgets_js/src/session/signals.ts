// How queries and people call what training reported of the samples.
import type { ColumnInfo } from "./protocol.ts";

/** The expression, and the column, of a signal. */
export function signalColumn(name: string): string {
  return `signal('${name.replaceAll("'", "''")}')`;
}

/** What people call a column: of a signal its name alone. */
export function numberName({ name, htype }: Pick<ColumnInfo, "name" | "htype">): string {
  return htype === "signal" ? signalName(name) : name;
}

/** The name of a signal's column; another column's as it is. */
export function signalName(column: string): string {
  return /^signal\('((?:[^']|'')*)'/.exec(column)?.[1]?.replaceAll("''", "'") ?? column;
}
