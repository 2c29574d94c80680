// Which number of the samples the strip above the grid shows: the one they are sorted by, else one that was chosen.
import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { ColumnInfo, GridSort } from "../session/protocol.ts";
import type { Session } from "../session/session.ts";
import { columnsOf } from "../table/columns.ts";

export interface ShownNumber {
  /** Every number a sample has, signals first. */
  readonly all: ReadonlySignal<readonly ColumnInfo[]>;
  readonly shown: ReadonlySignal<ColumnInfo | null>;
  readonly chosen: Signal<string | null>;
  /** Closed until samples are sorted by a number again. */
  readonly closed: Signal<boolean>;
}

const known = new WeakMap<Session, ShownNumber>();

export function shownNumber(session: Session): ShownNumber {
  const found = known.get(session);
  if (found !== undefined) return found;
  const made = make(session);
  known.set(session, made);
  return made;
}

/** The column that an order names; null for one that is no column. */
export function columnOf(sort: GridSort): string | null {
  return /^(?:tensor|column):/.test(sort) ? sort.slice(sort.indexOf(":") + 1) : null;
}

function make(session: Session): ShownNumber {
  const columns = columnsOf(session);
  const chosen = signal<string | null>(null);
  const all = computed(() => {
    const numeric = (columns.list.value ?? []).filter((column) => column.numeric);
    return [...numeric.filter(isSignal), ...numeric.filter((column) => !isSignal(column))];
  });
  const shown = computed(() => {
    const named = (name: string | null) => all.value.find((column) => column.name === name);
    const sorted = named(columnOf(session.grid.sort.value));
    return sorted ?? named(chosen.value) ?? all.value.find(isSignal) ?? null;
  });
  return { all, shown, chosen, closed: signal(false) };
}

function isSignal({ htype }: ColumnInfo): boolean {
  return htype === "signal";
}
