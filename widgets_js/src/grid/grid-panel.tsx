import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { isFiltered } from "../session/grid-filter.ts";
import * as intervals from "../session/intervals.ts";
import { type LoadedTile, type PageCache, pagesOf } from "../session/page-cache.ts";
import type { Session } from "../session/session.ts";
import type { Store } from "../session/store.ts";
import { focusable } from "../ui/focus.ts";
import { countText } from "../ui/number-text.ts";
import { filterInWords } from "./filter-words.ts";
import {
  followScroll,
  type GridShape,
  gridShape,
  moveBy,
  reveal,
  type Scroll,
  scrollFor,
  thumbnailSize,
  visibleRange,
} from "./geometry.ts";
import { type Ink, useInk } from "./inks.ts";
import { KeptImages } from "./kept-images.ts";
import { RowDrawings, type RowLook, RowOverlay } from "./row-overlay.tsx";
import { Again, TileImage } from "./tile.tsx";

const NONE = {};
const HELD = "no longer matches; stays here until the grid is updated";
export const CELL_SIZES = { small: 76, medium: 114, large: 176 } as const;

/** Thumbnails in a grid of any length. The grid is one stop of the Tab key; arrows move inside it. */
export function GridPanel({ session }: { session: Session }) {
  const { store, grid } = session;
  const port = useRef<HTMLDivElement>(null);
  const box = useSignal({ width: 0, height: 0 });
  const scroll = useSignal<Scroll>({ scrollTop: 0, offset: 0 });
  useLayoutEffect(() => measure(port.current, box), [box]);
  const shape = useComputed(() => gridShape(box.value.width, store.gridSize.value, CELL_SIZES[grid.size.value]));
  const moveTo = (top: number): void => {
    const next = scrollFor(shape.value, box.value.height, top);
    scroll.value = next;
    if (port.current !== null) port.current.scrollTop = next.scrollTop;
  };
  const onScroll = (): void => {
    const element = port.current;
    if (element === null) return;
    const { set, ...next } = followScroll(shape.value, box.value.height, scroll.value, element.scrollTop);
    scroll.value = next;
    if (set) element.scrollTop = next.scrollTop;
  };
  const revealCurrent = (position: number): void => {
    const top = scroll.value.scrollTop + scroll.value.offset;
    const wanted = reveal(shape.value, position, top, box.value.height);
    if (wanted !== top) moveTo(wanted);
  };
  useEffect(() => {
    const current = store.current.peek();
    moveTo(store.stay.peek() ? scroll.peek().scrollTop + scroll.peek().offset : 0);
    if (current !== null && store.stay.peek() && box.peek().height > 0) revealCurrent(current);
  }, [store.gridSize.value]);
  useEffect(() => {
    const current = store.current.value;
    if (current !== null && box.value.height > 0) revealCurrent(current);
  }, [store.current.value]);
  useEffect(() => {
    grid.focus = () => port.current?.focus({ preventScroll: true });
    return () => {
      grid.focus = () => {};
    };
  }, [grid]);
  const { ink, onTransitionRun } = useInk(port, store.dataset.value?.class_colors ?? NONE, box.value);
  const id = useMemo(() => `penstock-grid-${store.rpc.viewId}`, [store]);
  const shown = store.gridSize.value;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a grid, or the reason why there is none
    // biome-ignore lint/a11y/useAriaPropsSupportedByRole: only the grid has an active descendant
    <div
      {...focusable}
      ref={port}
      class="penstock-grid"
      tabIndex={0}
      aria-label="Samples"
      {...(shown === 0
        ? { role: "group" as const }
        : {
            role: "grid" as const,
            "aria-multiselectable": true,
            "aria-rowcount": shape.value.rows,
            "aria-colcount": shape.value.columns,
          })}
      aria-activedescendant={store.current.value === null || shown === 0 ? undefined : `${id}-${store.current.value}`}
      data-testid="penstock-grid"
      data-pool={shown}
      onScroll={onScroll}
      onTransitionRun={onTransitionRun}
      onKeyDown={(event) => gridKey(event, session, shape.value, box.value.height)}
    >
      <Cells
        session={session}
        id={id}
        shape={shape.value}
        scroll={scroll.value}
        viewport={box.value.height}
        ink={ink}
      />
    </div>
  );
}

function measure(
  element: HTMLElement | null,
  box: { value: { width: number; height: number } },
): (() => void) | undefined {
  if (element === null) return undefined;
  const read = (): void => {
    const style = getComputedStyle(element);
    const pad = Number.parseFloat(style.paddingLeft) + Number.parseFloat(style.paddingRight) || 0;
    const width = element.clientWidth - pad;
    if (width !== box.value.width || element.clientHeight !== box.value.height) {
      box.value = { width, height: element.clientHeight };
    }
  };
  read();
  const observer = new ResizeObserver(read);
  observer.observe(element);
  return () => observer.disconnect();
}

interface CellsProps {
  session: Session;
  id: string;
  shape: GridShape;
  scroll: Scroll;
  viewport: number;
  ink: Ink | null;
}

function Cells({ session, id, shape, scroll, viewport, ink }: CellsProps) {
  const { store, grid } = session;
  const total = store.gridSize.value;
  const top = scroll.scrollTop + scroll.offset;
  const [start, stop] = visibleRange(shape, total, top, viewport);
  const ratio = window.devicePixelRatio || 1;
  const size = thumbnailSize(shape.cell, ratio);
  const images = useMemo(() => new KeptImages(), [grid]);
  const drawings = useMemo(() => new RowDrawings(), [grid]);
  const look = useLook(session, ink, shape.cell, ratio);
  usePages(store, grid.pages, start, stop, size);
  if (total === 0) return <Empty store={store} />;
  const rows: number[] = [];
  for (let first = start; first < stop; first += shape.columns) rows.push(first);
  return (
    <div class="penstock-grid-space" style={{ height: `${shape.height}px` }} role="presentation">
      {rows.map((first) => {
        const row = first / shape.columns;
        const count = Math.min(shape.columns, total - first);
        return (
          <div
            key={row}
            role="row"
            aria-rowindex={row + 1}
            class="penstock-grid-row"
            style={{ transform: `translateY(${row * shape.pitch - scroll.offset}px)`, height: `${shape.cell}px` }}
          >
            {Array.from({ length: count }, (_, column) => (
              <Cell
                key={first + column}
                session={session}
                id={id}
                position={first + column}
                column={column}
                side={shape.cell}
                images={images}
              />
            ))}
            {look === null ? null : (
              <RowOverlay
                drawings={drawings}
                tiles={Array.from({ length: count }, (_, column) => grid.pages.tile(first + column))}
                look={look}
              />
            )}
          </div>
        );
      })}
    </div>
  );
}

/** How tiles are drawn over; null where nothing is. */
function useLook({ store, grid }: Session, ink: Ink | null, side: number, ratio: number): RowLook | null {
  const skeletons = store.dataset.value?.skeletons ?? NONE;
  const hidden = store.hiddenClasses.value;
  const shown = grid.boxes.value;
  return useMemo(
    () => (shown && ink !== null ? { side, ratio, skeletons, hidden, ink } : null),
    [shown, ink, side, ratio, skeletons, hidden],
  );
}

/** Ask for the visible pages once the scrolling has paused for a moment: pages flown over are never asked for.
 * An arrival asks again: it frees a place in the queue. */
function usePages(store: Store, pages: PageCache, start: number, stop: number, size: number): void {
  const last = useRef(0);
  const live = store.isLive.value;
  const dead = store.link.value === "dead"; // nothing comes in place of what is shown
  const epoch = store.gridEpoch.value;
  const total = store.gridSize.value;
  const arrivals = pages.arrivals.value;
  useEffect(() => {
    if (dead) return undefined;
    pages.configure(`${epoch}/${size}`, total, store.keepTiles.peek());
    if (!live) return undefined;
    const jumped = Math.abs(start - last.current) > 3 * Math.max(1, stop - start);
    last.current = start;
    const timer = setTimeout(() => pages.want(pagesOf(start, stop), size), jumped ? 60 : 0);
    return () => clearTimeout(timer);
  }, [pages, store, live, dead, epoch, total, start, stop, size, arrivals]);
}

interface CellProps {
  session: Session;
  id: string;
  position: number;
  column: number;
  side: number;
  images: KeptImages;
}

function Cell({ session, id, position, column, side, images }: CellProps) {
  const { store, grid } = session;
  const tile = grid.pages.tile(position);
  const fault = grid.pages.fault(position);
  const current = store.current.value === position;
  const selected = intervals.has(grid.selection.value, position);
  const held = tile?.held ? " penstock-held" : "";
  const state = `${current ? " penstock-current" : ""}${selected ? " penstock-selected" : ""}${held}`;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid itself takes the keys
    <div
      id={`${id}-${position}`}
      class={`penstock-cell${state}`}
      role="gridcell"
      aria-colindex={column + 1}
      aria-selected={selected}
      aria-label={cellName(store, tile, position)}
      data-position={position}
      title={tile?.held ? HELD : undefined}
      style={{ width: `${side}px` }}
      onClick={(event) => grid.pick(position, event)}
      onDblClick={() => grid.openDetail()}
    >
      {tile === undefined ? (
        <Waiting dead={store.link.value === "dead"} fault={fault} onRetry={() => grid.pages.retry(position)} />
      ) : (
        <TileImage
          store={store}
          tile={tile}
          images={images}
          boxes={grid.boxes.value}
          onRetry={() => grid.pages.retry(position)}
        />
      )}
    </div>
  );
}

function cellName(store: Store, tile: LoadedTile | undefined, position: number): string {
  if (tile === undefined) return `position ${countText(position)}, loading`;
  const names = [...new Set(tile.labels)].map((label) => store.classNames.value[label] ?? `class ${label}`);
  const labels = names.length === 0 ? "no class" : names.join(", ");
  return `sample ${countText(tile.row)}: ${tile.error ?? labels}${tile.edited ? ", edited" : ""}${tile.held ? ", no longer matches" : ""}`;
}

function Waiting({ dead, fault, onRetry }: { dead: boolean; fault: string | null; onRetry: () => void }) {
  if (dead) return <span class="penstock-unloaded" title="not loaded; images need a running kernel" />;
  if (fault === null) return <span class="penstock-skeleton" />;
  return (
    <span class="penstock-broken" title={fault}>
      <span>not loaded</span>
      <Again onRetry={onRetry} />
    </span>
  );
}

function Empty({ store }: { store: Store }) {
  const query = store.query.value;
  if (query === null)
    return (
      <p class="penstock-empty">
        {store.link.value === "connecting"
          ? "Opening the dataset…"
          : "Images need a running kernel. Run this cell again."}
      </p>
    );
  if (query.pool_size > 0 && isFiltered(store.filter.value)) {
    const words = filterInWords(store.filter.value, store.classNames.value);
    return (
      <p class="penstock-empty" data-testid="penstock-empty">
        {query.pool_size === 1 ? "The sample" : `None of the ${countText(query.pool_size)} samples`} of this query{" "}
        {query.pool_size === 1 ? `is not shown: the filter asks for one that ${words}` : words}.{" "}
        <button
          {...focusable}
          type="button"
          class="penstock-link"
          disabled={!store.isLive.value}
          data-testid="penstock-clear"
          onClick={() => void store.actions.clearFilter()}
        >
          Clear the filter
        </button>
      </p>
    );
  }
  return (
    <p class="penstock-empty" data-testid="penstock-empty">
      {query.emptied_by === null ? "The pool is empty." : `No samples are left after ${query.emptied_by}.`}{" "}
      <button
        {...focusable}
        type="button"
        class="penstock-link"
        onClick={() => void store.actions.run({ text: "select *" })}
      >
        Clear the query
      </button>
    </p>
  );
}

function gridKey(event: KeyboardEvent, session: Session, shape: GridShape, viewport: number): void {
  const { store, grid } = session;
  const total = store.gridSize.value;
  if (total === 0) return;
  const control = event.ctrlKey || event.metaKey;
  if (control && event.key.toLowerCase() === "a") {
    event.preventDefault();
    grid.selectAll();
    return;
  }
  const current = store.current.value ?? 0;
  const page = Math.max(1, Math.floor(viewport / shape.pitch) - 1);
  const target = control ? null : moveBy(event.key, current, total, shape.columns, page);
  if (target !== null) {
    event.preventDefault();
    session.detail.keys.run(
      () => grid.go(moveBy(event.key, store.current.value ?? 0, total, shape.columns, page) ?? 0, event.shiftKey),
      true,
    );
  } else if (!control && labelKey(event.key, session)) {
    event.preventDefault();
  } else if (event.key === " ") {
    event.preventDefault();
    grid.toggle(current);
  } else if (event.key === "Escape") {
    grid.clear();
  } else if (event.key === "Enter" && !event.shiftKey && !control) {
    event.preventDefault();
    grid.openDetail();
  }
}

/** Keys that label the current sample, or go to one to be labeled: each for the sample that is current when it is pressed. */
function labelKey(key: string, { detail, labeling, grid }: Session): boolean {
  const name = key.toLowerCase();
  if (/^[1-9]$/.test(key)) {
    grid.onChosen();
    detail.keys.run(() => labeling.gridKey(key), false);
  } else if (name === "u") detail.keys.run(() => void labeling.nextUnlabeled(), false);
  else if (name === "f") detail.keys.run(() => grid.openDetail(), false);
  else return false;
  return true;
}
