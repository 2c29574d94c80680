// Columns of a page without a kernel: their profiles as the page was written, and its first rows.
import type { ColumnProfile, Ops, TableRow } from "../../session/protocol.ts";

/** What penstock/widgets/_page_table.py writes. */
export interface KeptColumns {
  list: Ops["columns.list"][1];
  profiles: ColumnProfile[];
  rows: TableRow[];
}

/** The grid as it is now. */
export interface Arranged {
  size: number;
  token: string;
  /** Null for rows of a table result, which stay where they are. */
  uidAt: ((position: number) => string | null) | null;
}

export class PageColumns {
  private readonly kept: KeptColumns;
  private readonly rowOf: Map<string | null, TableRow>;
  private readonly places: Map<string, number>;

  constructor(kept: KeptColumns) {
    this.kept = kept;
    this.rowOf = new Map(kept.rows.map((row) => [row.uid, row]));
    this.places = new Map(kept.list.columns.map(({ name }, i) => [name, i]));
  }

  list(): Ops["columns.list"][1] {
    return this.kept.list;
  }

  /** As the page was written: of another query nothing is known. */
  profile(names: readonly string[]): Ops["columns.profile"][1] {
    const wanted = new Set(names);
    return { profiles: this.kept.profiles.filter(({ name }) => wanted.has(name)), data: this.kept.list.data };
  }

  /** Rows that the page lacks have no cells. */
  rows(start: number, stop: number, names: readonly string[], { size, token, uidAt }: Arranged): Ops["table.rows"][1] {
    const rows: TableRow[] = [];
    for (let position = start; position < Math.min(stop, size); position++) {
      const uid = uidAt === null ? null : uidAt(position);
      const found = uidAt === null ? this.kept.rows[position] : this.rowOf.get(uid);
      const cells = found === undefined ? [] : names.map((name) => found.cells[this.places.get(name) ?? -1] ?? null);
      rows.push({ position, row: found?.row ?? position, uid, edited: found?.edited ?? false, cells });
    }
    return { rows, token };
  }
}
