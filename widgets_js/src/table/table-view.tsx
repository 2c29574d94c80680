import { computed, effect, type ReadonlySignal, type Signal, signal, useComputed } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { followScroll, reveal, type Scroll, scrollFor, visibleRange } from "../grid/geometry.ts";
import type { Session } from "../session/session.ts";
import { focusable } from "../ui/focus.ts";
import { pluralText } from "../ui/number-text.ts";
import { type BarCursor, barsOf } from "./bar-keys.ts";
import { type Columns, columnsOf } from "./columns.ts";
import { partsOf, RowCache } from "./row-cache.ts";
import {
  type ColumnPlaces,
  columnPlaces,
  HEAD,
  HEADER,
  ROW,
  revealColumn,
  rowShape,
  visibleColumns,
} from "./table-geometry.ts";
import { HeaderCell, headerName } from "./table-head.tsx";
import { tableKey } from "./table-keys.ts";
import { Row } from "./table-row.tsx";
import { useFresh } from "./use-fresh.ts";

/** Samples without images, or the rows of a table result: any number of rows and columns, profiles above the columns. */
export function TableView({ session }: { session: Session }) {
  const { store } = session;
  return (
    <section
      class={`penstock-tableview${store.isTable.value ? " penstock-result" : ""}`}
      aria-label={store.isTable.value ? "Result" : "Samples as a table"}
      data-testid="penstock-table"
    >
      {store.isTable.value ? <ResultNote session={session} /> : null}
      <Rows key={store.isTable.value ? "result" : "samples"} session={session} />
    </section>
  );
}

function ResultNote({ session }: { session: Session }) {
  const { store } = session;
  const rows = columnsOf(session).numRows.value || (store.query.value?.table?.rows.length ?? 0);
  return (
    <p class="penstock-note penstock-result-note">
      A table of {pluralText(rows, "row")}. Its rows are not samples, so weights, coverage, edits and export are not
      available.{" "}
      <button
        {...focusable}
        type="button"
        class="penstock-link"
        disabled={!store.isLive.value}
        onClick={() => void store.actions.run({ text: session.lastRows ?? "select *" })}
      >
        Back to the last query with samples
      </button>
    </p>
  );
}

interface Box {
  width: number;
  height: number;
}

/** What the table remembers: where it is scrolled to, and where the keyboard is. */
interface TableState {
  box: Signal<Box>;
  scroll: Signal<Scroll>;
  left: Signal<number>;
  cursor: Signal<{ row: number; column: number }>;
  bars: Signal<BarCursor | null>;
  total: ReadonlySignal<number>;
  places: ReadonlySignal<ColumnPlaces>;
  /** Rows and columns in view: parts are drawn again only when these change, not with every pixel. */
  seen: ReadonlySignal<Range>;
  wide: ReadonlySignal<Range>;
}

type Range = readonly [number, number];

function tableState({ store }: Session, columns: Columns): TableState {
  const box = signal<Box>({ width: 0, height: 0 });
  const scroll = signal<Scroll>({ scrollTop: 0, offset: 0 });
  const left = signal(0);
  const total = computed(() => (store.isTable.value ? columns.numRows.value : store.gridSize.value));
  const places = computed(() => columnPlaces(columns.list.value ?? [], total.value, box.value.width));
  const seen = range(() => {
    const top = scroll.value.scrollTop + scroll.value.offset;
    return visibleRange(rowShape(total.value), total.value, top, Math.max(0, box.value.height - HEAD), 2);
  });
  const wide = range(() => visibleColumns(places.value, left.value, box.value.width));
  const cursor = signal({ row: 0, column: 0 });
  return { box, scroll, left, cursor, bars: signal<BarCursor | null>(null), total, places, seen, wide };
}

/** A range that is the same object as long as its ends are the same. */
function range(compute: () => Range): ReadonlySignal<Range> {
  let last: Range = [0, 0];
  return computed(() => {
    const next = compute();
    if (next[0] !== last[0] || next[1] !== last[1]) last = next;
    return last;
  });
}

/** The row of the keyboard: of samples it is the one on show. */
function rowOf({ store }: Session, { cursor }: TableState): number {
  const { row } = cursor.value;
  return row === HEADER || store.isTable.value ? row : (store.current.value ?? 0);
}

function columnOf({ list }: Columns, { cursor }: TableState): number {
  return Math.min(cursor.value.column, Math.max(0, (list.value?.length ?? 0) - 1));
}

function Rows({ session }: { session: Session }) {
  const { store, grid } = session;
  const columns = columnsOf(session);
  const cache = useMemo(() => new RowCache(store.rpc), [store]);
  const state = useMemo(() => tableState(session, columns), [session, columns]);
  const port = useRef<HTMLDivElement>(null);
  const { box, scroll, left, cursor, bars } = state;
  const list = columns.list.value ?? [];
  const result = store.isTable.value;
  const total = state.total.value;
  const row = rowOf(session, state);
  const column = columnOf(columns, state);
  const shape = rowShape(total);
  const id = `penstock-table-${store.rpc.viewId}`;
  const viewport = (): number => Math.max(0, box.peek().height - HEAD);
  const top = (): number => scroll.peek().scrollTop + scroll.peek().offset;
  useLayoutEffect(() => measured(port.current, box), [box]);
  useEffect(() => () => cache.dispose(), [cache]);
  useFresh(session, columns);
  useEffect(() => {
    if (port.current !== null) port.current.scrollTop = 0;
    scroll.value = { scrollTop: 0, offset: 0 };
    if (cursor.peek().row > 0) cursor.value = { ...cursor.peek(), row: 0 };
  }, [total, result]);
  usePages(session, columns, cache, state);

  const show = (to: { row: number; column: number }): void => {
    if (to.row !== HEADER && viewport() > 0) {
      const wanted = reveal(shape, to.row, top(), viewport());
      if (wanted !== top()) {
        scroll.value = scrollFor(shape, viewport(), wanted);
        if (port.current !== null) port.current.scrollTop = scroll.value.scrollTop;
      }
    }
    const sideways = revealColumn(state.places.peek(), to.column, left.peek(), box.peek().width);
    if (port.current !== null && sideways !== left.peek()) port.current.scrollLeft = sideways;
  };
  useEffect(() => {
    if (!result && store.current.value !== null && cursor.peek().row !== HEADER)
      show({ row: store.current.value, column: cursor.peek().column });
  }, [store.current.value]);

  const onScroll = (): void => {
    const element = port.current;
    if (element === null) return;
    left.value = element.scrollLeft;
    const { set, ...next } = followScroll(shape, viewport(), scroll.peek(), element.scrollTop);
    scroll.value = next;
    if (set) element.scrollTop = next.scrollTop;
  };
  const go = (to: { row: number; column: number }, extend = false): void => {
    bars.value = null;
    cursor.value = to;
    if (to.row !== HEADER && !result) grid.go(to.row, extend);
    show(to);
    if (to.row === HEADER) store.actions.announce(headerName(columns, list[to.column]));
  };
  // of the place now, not of the last drawing: keys can come faster
  const onKey = (event: KeyboardEvent): void => {
    const page = Math.max(1, Math.floor(viewport() / ROW) - 1);
    const firstSeen = Math.min(Math.floor(top() / ROW), total - 1);
    const start = result ? firstSeen : (store.current.peek() ?? 0);
    const place = { row: rowOf(session, state), column: columnOf(columns, state), total, page, start };
    if (!tableKey(event, { session, columns, bars, go }, place)) return;
    event.preventDefault();
    event.stopPropagation();
  };
  const none = columns.list.value === null;
  return (
    <div
      {...focusable}
      ref={port}
      class="penstock-rows"
      role="grid"
      tabIndex={0}
      aria-label={result ? "Rows of the result" : "Samples"}
      aria-multiselectable={result ? undefined : "true"}
      aria-rowcount={total + 1}
      aria-colcount={list.length + 1}
      aria-activedescendant={none ? undefined : `${id}-${row}-${column}`}
      data-testid="penstock-rows"
      data-pool={total}
      onScroll={onScroll}
      onKeyDown={onKey}
    >
      {none ? (
        <div role="row">
          <span role="gridcell" class="penstock-empty">
            {waitingText(session, columns)}
          </span>
        </div>
      ) : (
        <>
          <Head id={id} session={session} columns={columns} state={state} />
          <Body id={id} session={session} columns={columns} state={state} cache={cache} />
        </>
      )}
    </div>
  );
}

interface PartProps {
  id: string;
  session: Session;
  columns: Columns;
  state: TableState;
}

function Head({ id, session, columns, state }: PartProps) {
  const { cursor, bars } = state;
  const places = state.places.value;
  const wide = state.wide.value;
  const list = columns.list.value ?? [];
  const inHead = cursor.value.row === HEADER;
  return (
    <div class="penstock-rows-head" role="row" aria-rowindex={1} style={{ width: `${places.head + places.total}px` }}>
      <div class="penstock-corner" role="columnheader" aria-colindex={1} style={{ width: `${places.head}px` }}>
        row
      </div>
      {list.slice(...wide).map((info, i) => {
        const at = wide[0] + i;
        const current = inHead && cursor.value.column === at;
        return (
          <HeaderCell
            key={info.name}
            id={`${id}-${HEADER}-${at}`}
            session={session}
            columns={columns}
            info={info}
            index={at}
            left={places.head + (places.lefts[at] ?? 0)}
            width={places.widths[at] ?? 0}
            current={current}
            bars={current && bars.value !== null ? barsOf(bars.value) : null}
            onPoint={() => {
              cursor.value = { row: HEADER, column: at };
              bars.value = null;
            }}
          />
        );
      })}
    </div>
  );
}

function Body({ id, session, columns, state, cache }: PartProps & { cache: RowCache }) {
  const { store, grid } = session;
  const { cursor, bars, scroll } = state;
  const offset = useComputed(() => scroll.value.offset).value;
  const seen = state.seen.value;
  const places = state.places.value;
  const total = state.total.value;
  const row = rowOf(session, state);
  const height = rowShape(total).height;
  const positions = Array.from({ length: seen[1] - seen[0] }, (_, i) => seen[0] + i);
  return (
    <div
      class="penstock-rows-space"
      role="presentation"
      style={{ height: `${height}px`, width: `${places.head + places.total}px` }}
    >
      {total === 0 ? <Nothing session={session} /> : null}
      {positions.map((position) => (
        <Row
          key={position}
          id={id}
          session={session}
          cache={cache}
          position={position}
          y={position * ROW - offset}
          list={columns.list.value ?? []}
          wide={state.wide.value}
          places={places}
          row={row}
          column={cursor.value.column}
          onPick={(event, column) => {
            bars.value = null;
            cursor.value = { row: position, column };
            if (!store.isTable.value) grid.pick(position, event);
          }}
        />
      ))}
    </div>
  );
}

function usePages({ store }: Session, columns: Columns, cache: RowCache, state: TableState): void {
  useEffect(() => {
    let flown = state.seen.peek()[0];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = effect(() => {
      const list = columns.list.value;
      const query = store.query.value;
      const [seen, wide] = [state.seen.value, state.wide.value];
      cache.arrivals.value;
      clearTimeout(timer);
      const names = list?.map(({ name }) => name) ?? [];
      const key = `${store.gridEpoch.value}/${query?.kind}/${query?.text}/${names.join("\n")}`;
      if (!store.isLive.value || list === null) return;
      cache.configure(key, state.total.value, names, store.keepTiles.peek());
      columns.want(names.slice(...wide));
      const jumped = Math.abs(seen[0] - flown) > 3 * Math.max(1, seen[1] - seen[0]);
      flown = seen[0];
      timer = setTimeout(() => cache.want(partsOf(seen, wide)), jumped ? 60 : 0);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [store, columns, cache, state]);
}

function waitingText({ store }: Session, columns: Columns): string {
  if (columns.fault.value !== null) return columns.fault.value;
  if (store.link.value === "connecting") return "Opening the dataset…";
  return store.isLive.value ? "" : "The table needs a running kernel. Run this cell again.";
}

function Nothing({ session }: { session: Session }) {
  const { store } = session;
  const query = store.query.value;
  if (query === null || (store.isTable.value && query.table?.rows.length !== 0)) return null;
  return (
    <div role="row">
      <span role="gridcell" class="penstock-empty" data-testid="penstock-empty">
        {query.emptied_by == null ? "No rows." : `No samples are left after ${query.emptied_by}.`}{" "}
        <button
          {...focusable}
          type="button"
          class="penstock-link"
          onClick={() => void store.actions.run({ text: "select *" })}
        >
          Clear the query
        </button>
      </span>
    </div>
  );
}

function measured(element: HTMLElement | null, box: { value: Box }): (() => void) | undefined {
  if (element === null) return undefined;
  const read = (): void => {
    const { clientWidth: width, clientHeight: height } = element;
    if (width !== box.value.width || height !== box.value.height) box.value = { width, height };
  };
  read();
  const observer = new ResizeObserver(read);
  observer.observe(element);
  return () => observer.disconnect();
}
