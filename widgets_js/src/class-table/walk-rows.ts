// Keys and focus of the table: one row is in the tab order, up and down go to the same cell of the next row. Focus stays
// with its row when the row moves to another place.
import type { ReadonlySignal, Signal } from "@preact/signals";
import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { SliderRow } from "./slider-rows.ts";

interface Request {
  scroller: RefObject<HTMLDivElement | null>;
  rows: ReadonlySignal<readonly SliderRow[]>;
  current: Signal<string | null>;
  height: number;
  release: () => void;
}

interface Place {
  key: string;
  cell: string;
}

interface Handlers {
  onKeyDownCapture: (event: KeyboardEvent) => void;
  onKeyDown: (event: KeyboardEvent) => void;
  onFocusIn: (event: FocusEvent) => void;
  onFocusOut: (event: FocusEvent) => void;
}

const HEAD = 20;
const STEPS: Readonly<Record<string, number>> = { ArrowUp: -1, ArrowDown: 1 };

export function useWalk({ scroller, rows, current, height, release }: Request): Handlers {
  const place = useRef<Place | null>(null); // where focus is
  const pending = useRef<Place | null>(null); // where it goes once the row is drawn
  const last = useRef<{ key: string | null; index: number }>({ key: null, index: -1 });
  const rendering = useRef(true);
  rendering.current = true;
  useLayoutEffect(() => {
    rendering.current = false;
    const table = scroller.current;
    if (table === null) return;
    const lost = !table.contains((table.getRootNode() as Document).activeElement);
    const wanted = pending.current ?? (lost ? place.current : null);
    pending.current = null;
    if (wanted !== null) cellOf(table, wanted)?.focus({ preventScroll: true });
    follow(table);
  });
  /** A row that was sorted to another place takes the view along, while it has focus. */
  const follow = (table: HTMLElement): void => {
    const key = place.current?.key ?? null;
    const index = rows.peek().findIndex((row) => row.key === key);
    const { key: before, index: was } = last.current;
    last.current = { key, index };
    if (index >= 0 && before === key && was !== index) reveal(table, index, height);
  };
  const goTo = (row: SliderRow, index: number, cell: string): void => {
    const table = scroller.current;
    if (table === null) return;
    reveal(table, index, height);
    const next = { key: row.key, cell };
    const found = cellOf(table, next);
    if (found === null) pending.current = next;
    found?.focus({ preventScroll: true });
    current.value = row.key;
  };
  return {
    onKeyDownCapture: (event) => {
      // a row that was sorted out of view comes back with the first key
      const at = rows.peek().findIndex((row) => row.key === placeOf(event.target)?.key);
      if (at >= 0 && scroller.current !== null) reveal(scroller.current, at, height);
    },
    onKeyDown: (event) => {
      const from = placeOf(event.target);
      if (event.ctrlKey || event.metaKey || event.altKey || from === null) return;
      const all = rows.peek();
      const at = all.findIndex((row) => row.key === from.key);
      const to = targetOf(event.key, from.cell, at, all.length);
      if (to === null) return;
      event.preventDefault();
      event.stopPropagation();
      const row = all[to];
      if (row !== undefined) goTo(row, to, from.cell);
    },
    onFocusIn: (event) => {
      const now = placeOf(event.target);
      if (now === null) return;
      if (place.current !== null && place.current.key !== now.key) release();
      place.current = now;
      current.value = now.key;
    },
    onFocusOut: (event) => {
      if (rendering.current) return; // its row moves, and takes the focus along
      const to = event.relatedTarget instanceof Element ? event.relatedTarget : null;
      if (to !== null && scroller.current?.contains(to)) return;
      place.current = null;
      release();
    },
  };
}

/** The row that a key goes to; null for a key that is not ours. */
function targetOf(key: string, cell: string, at: number, count: number): number | null {
  const step = STEPS[key];
  if (step !== undefined) return at + step;
  if (cell !== "name") return null;
  if (key === "Home") return 0;
  return key === "End" ? count - 1 : null;
}

function placeOf(target: EventTarget | null): Place | null {
  if (!(target instanceof Element)) return null;
  const cell = target.closest<HTMLElement>("[data-cell]")?.dataset.cell;
  const key = target.closest<HTMLElement>("[data-key]")?.dataset.key;
  return cell === undefined || key === undefined ? null : { key, cell };
}

/** The element of a row that takes focus; its name where the row has no such cell, or a disabled one. */
function cellOf(table: HTMLElement, { key, cell }: Place): HTMLElement | null {
  const row = [...table.querySelectorAll<HTMLElement>("[data-key]")].find((one) => one.dataset.key === key);
  const found = row?.querySelector<HTMLElement>(`[data-cell='${cell}']`) ?? null;
  const usable = found !== null && !found.matches(":disabled");
  return usable ? found : (row?.querySelector<HTMLElement>("[data-cell='name']") ?? null);
}

function reveal(table: HTMLElement, index: number, height: number): void {
  const top = index * height;
  const room = table.clientHeight - HEAD;
  if (top < table.scrollTop) table.scrollTop = top;
  else if (room > 0 && top + height > table.scrollTop + room) table.scrollTop = top + height - room;
}
