// The table by keyboard: arrows, Page, Home and End walk over cells, from the first row up into the header; Enter in a header
// goes to its bars, Space sorts by it.
import type { Signal } from "@preact/signals";
import type { Session } from "../session/session.ts";
import { type BarCursor, barsOf, moveCursor } from "./bar-keys.ts";
import type { Columns } from "./columns.ts";
import { barText } from "./profile-layout.ts";
import { sortByColumn } from "./sort-column.ts";
import { HEADER, moveRow } from "./table-geometry.ts";

export interface TableControl {
  session: Session;
  columns: Columns;
  bars: Signal<BarCursor | null>;
  go: (to: { row: number; column: number }, extend?: boolean) => void;
}

export interface TablePlace {
  row: number;
  column: number;
  total: number;
  /** Rows of a page. */
  page: number;
  /** Where one comes to from the header. */
  start: number;
}

/** Whether the key was one of the table's. */
export function tableKey(event: KeyboardEvent, control: TableControl, place: TablePlace): boolean {
  if (place.row === HEADER && control.bars.value !== null && barKey(event, control, place)) return true;
  if (sideways(event, control, place)) return true;
  return place.row === HEADER ? headerKey(event, control, place) : rowKey(event, control, place);
}

function profileAt({ columns }: TableControl, column: number) {
  return columns.profiles.value.get(columns.list.value?.[column]?.name ?? "");
}

function isPlainEnter(event: KeyboardEvent): boolean {
  return event.key === "Enter" && !event.shiftKey && !event.ctrlKey && !event.metaKey;
}

function barKey(event: KeyboardEvent, control: TableControl, { column }: TablePlace): boolean {
  const { bars, columns, session } = control;
  const profile = profileAt(control, column);
  if (profile === undefined || bars.value === null) return false;
  const next = moveCursor(profile, bars.value, event.key, event.shiftKey);
  if (next !== null) {
    bars.value = next;
    session.store.actions.announce(barText(profile, ...barsOf(next)));
  } else if (isPlainEnter(event)) {
    if (session.store.isLive.value) void columns.filter(profile.name, ...barsOf(bars.value));
  } else if (event.key === "Escape") bars.value = null;
  else return false;
  return true;
}

function sideways(event: KeyboardEvent, { columns, go }: TableControl, { row, column }: TablePlace): boolean {
  const step = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
  if (step === 0) return false;
  const last = Math.max(0, (columns.list.value?.length ?? 0) - 1);
  const end = step < 0 ? 0 : last;
  go({ row, column: event.ctrlKey || event.metaKey ? end : Math.min(last, Math.max(0, column + step)) });
  return true;
}

function headerKey(event: KeyboardEvent, control: TableControl, { column, total, start }: TablePlace): boolean {
  const { bars, go, session } = control;
  const profile = profileAt(control, column);
  if (event.key === "ArrowDown" && total > 0) go({ row: Math.max(0, start), column });
  else if (event.key === " ") {
    const info = control.columns.list.value?.[column];
    if (info !== undefined) void sortByColumn(session, info);
  } else if (isPlainEnter(event) && profile !== undefined) {
    const first = moveCursor(profile, null, "ArrowRight", false);
    bars.value = first;
    if (first !== null) session.store.actions.announce(barText(profile, ...barsOf(first)));
  } else return false;
  return true;
}

function rowKey(event: KeyboardEvent, control: TableControl, { row, column, total, page }: TablePlace): boolean {
  if (event.key === "ArrowUp" && row === 0) {
    control.go({ row: HEADER, column });
    return true;
  }
  const to = moveRow(event.key, row, total, page);
  if (to !== null) {
    control.go({ row: to, column }, event.shiftKey);
    return true;
  }
  return !control.session.store.isTable.value && sampleKey(event, control.session, row);
}

/** Keys that act on a sample: as in the grid. */
function sampleKey(event: KeyboardEvent, { grid }: Session, row: number): boolean {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a") grid.selectAll();
  else if (event.key === " ") grid.toggle(row);
  else if (event.key === "Escape") grid.clear();
  else if (isPlainEnter(event)) grid.openDetail();
  else return false;
  return true;
}
