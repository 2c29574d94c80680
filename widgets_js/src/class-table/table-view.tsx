import { type ReadonlySignal, useComputed, useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { ClassTools } from "../classes/class-tools.tsx";
import type { Session } from "../session/session.ts";
import { useDrawn } from "../statistics/drawn.ts";
import { useAtRest } from "../ui/at-rest.ts";
import { pluralText } from "../ui/number-text.ts";
import { useUniqueId } from "../ui/unique-id.ts";
import { type AxisScale, axisScale, markText } from "./axis-scale.ts";
import type { BarSource } from "./bar-source.ts";
import { ClassRow } from "./class-row.tsx";
import type { Columns } from "./columns.ts";
import { pastOf } from "./epoch-under-way.ts";
import { shownSignal } from "./signal-means.ts";
import type { SliderRow } from "./slider-rows.ts";
import { isPinned, type TableModel } from "./table-model.ts";
import { useWalk } from "./walk-rows.ts";

const HEAD = 20;
const SPARE = 4; // rows drawn beyond what is seen, above and below
const REST_MS = 300;

interface Props {
  session: Session;
  model: TableModel;
  columns: Columns;
}

/** Rows of all classes, of which those in view are in the document, and the one that has focus. */
export function TableView({ session, model, columns }: Props) {
  const { store } = session;
  const scroller = useRef<HTMLDivElement>(null);
  const view = useView(scroller, columns.height);
  const pattern = useUniqueId("hatch");
  const current = useSignal<string | null>(null);
  const rows = model.shown.value;
  const axis = useComputedScale(model, columns.bars);
  const rested = useAtRest<BarSource | null>(model.bars, REST_MS);
  const drawn = useFirstEpoch(session);
  const walk = useWalk({ scroller, rows: model.shown, current, height: columns.height, release: model.release });
  const at = Math.max(
    0,
    rows.findIndex((row) => row.key === current.value),
  );
  const shown = windowOf(rows, view.value, at);
  const disabled = store.statistics.value === null || store.textFault.value !== null;
  return (
    <div
      ref={scroller}
      role="table"
      class={`penstock-classes${columns.stacked ? " penstock-stacked" : ""}`}
      aria-label="classes"
      aria-rowcount={rows.length + 1}
      aria-colcount={columns.signal > 0 ? 6 : 5}
      data-testid="penstock-classes"
      data-penstock-undo="weights"
      style={{
        "--penstock-slider": `${columns.slider}px`,
        "--penstock-plot": `${columns.bars}px`,
        "--penstock-counts": `${columns.text}px`,
        "--penstock-signal": columns.signal > 0 ? `${columns.signal}px` : "",
        "--penstock-row-height": `${columns.height}px`,
      }}
      {...walk}
    >
      <Head session={session} model={model} axis={axis} columns={columns} pattern={pattern} />
      <div role="rowgroup" class="penstock-table-rows" style={{ height: `${rows.length * columns.height}px` }}>
        {shown.map((i) => {
          const row = rows[i] as SliderRow;
          return (
            <ClassRow
              key={row.key}
              {...{ session, model, row, disabled, columns, axis, rested, drawn, pattern }}
              index={i}
              first={i > 0 && groupOf(row, model) !== groupOf(rows[i - 1] as SliderRow, model)}
              current={i === at}
            />
          );
        })}
      </div>
      {rows.some((row) => row.kind === "class") ? null : <NoClasses model={model} />}
    </div>
  );
}

function NoClasses({ model }: { model: TableModel }) {
  const words = model.search.value.trim();
  return (
    <p class="penstock-note penstock-no-classes">
      {words === "" ? "There are no classes to count." : `No class matches “${words}”.`}
    </p>
  );
}

function groupOf(row: SliderRow, model: TableModel): string {
  return row.kind === "class" && isPinned(row, model.state) ? "pinned" : row.kind;
}

interface HeadProps extends Props {
  axis: ReadonlySignal<AxisScale>;
  pattern: string;
}

function Head({ session, model, axis, columns, pattern }: HeadProps) {
  const classes = model.rows.value.filter((row) => row.kind === "class").length;
  const { most } = model.state;
  const underWay = model.bars.value?.past != null;
  return (
    <div role="rowgroup" class="penstock-table-head">
      <div role="row" aria-rowindex={1}>
        <span role="columnheader" class="penstock-head-name">
          {pluralText(classes, "class", "classes")}
          {session.store.dataset.value?.label_tensor == null ? null : <ClassTools session={session} />}
        </span>
        <span role="columnheader" class="penstock-head-slider" aria-label="weight, as a slider">
          <span>0</span>
          <span>1</span>
          <span>{markText(most.value)}</span>
        </span>
        <span role="columnheader" class="penstock-head-number">
          weight
        </span>
        <span role="columnheader" class="penstock-head-bars">
          <span class="penstock-hidden">raw and sampled, as bars</span>
          <Marks axis={axis} width={columns.bars} pattern={pattern} />
        </span>
        <span role="columnheader" class="penstock-head-text">
          <span>
            <svg width="8" height="8" aria-hidden="true">
              <rect class="penstock-bar-raw" width="8" height="8" fill={`url(#${pattern})`} />
            </svg>
            raw
          </span>
          <span>→</span>
          <span title={underWay ? "drawn in this epoch, and promised for the rest of it" : undefined}>epoch</span>
        </span>
        {columns.signal > 0 ? (
          <span role="columnheader" class="penstock-head-signal" title={`mean ${shownSignal(session.store)}, a class`}>
            {shownSignal(session.store)}
          </span>
        ) : null}
      </div>
    </div>
  );
}

function Marks({ axis, width, pattern }: { axis: ReadonlySignal<AxisScale>; width: number; pattern: string }) {
  const scale = axis.value;
  return (
    <svg width={width} height={HEAD - 1} aria-hidden="true">
      <defs>
        <pattern id={pattern} width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <rect width="1.6" height="4" class="penstock-hatch" />
        </pattern>
      </defs>
      {readable(scale, width).map((tick) => (
        <text key={tick} x={scale(tick)} y={14} text-anchor={anchorAt(scale(tick), width)}>
          {markText(tick)}
        </text>
      ))}
    </svg>
  );
}

const LETTER = 6.2; // pixels

/** The marks whose text does not run into that of the one before. */
function readable(scale: AxisScale, width: number): number[] {
  let end = Number.NEGATIVE_INFINITY;
  return scale.ticks.filter((tick) => {
    const size = LETTER * markText(tick).length;
    const x = scale(tick);
    const anchor = anchorAt(x, width);
    const start = anchor === "start" ? x : anchor === "end" ? x - size : x - size / 2;
    if (start < end + LETTER) return false;
    end = start + size;
    return true;
  });
}

function anchorAt(x: number, width: number): "start" | "middle" | "end" {
  if (x < 8) return "start";
  return x > width - 12 ? "end" : "middle";
}

/** Counts to pixels. All rows have the same scale. */
function useComputedScale(model: TableModel, width: number): ReadonlySignal<AxisScale> {
  const plot = useSignal(width);
  plot.value = width;
  return useComputed(() => axisScale(model.extent.value, plot.value, model.log.value));
}

/** The stream is counted in instances, and only for the weights that now stand. */
function useFirstEpoch({ store }: Session): ReadonlySignal<readonly number[] | null> {
  const drawn = useDrawn(store);
  return useComputed(() => {
    const now = drawn.value;
    const sampling = store.query.value?.has_sampling ?? false;
    const fits =
      pastOf(store.live.value, store.unit.value) === null &&
      now !== null &&
      !now.stale &&
      now.counts.length > 0 &&
      sampling &&
      store.unit.value === "instances";
    return fits ? now.counts : null;
  });
}

interface View {
  first: number;
  count: number;
}

const UNMEASURED = 560;

/** Which rows are in view. Changes with whole rows only. */
function useView(scroller: RefObject<HTMLDivElement | null>, height: number): ReadonlySignal<View> {
  const view = useSignal<View>({ first: 0, count: Math.ceil(UNMEASURED / height) });
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return undefined;
    const look = (): void => {
      const first = Math.floor(element.scrollTop / height);
      const count = Math.ceil((element.clientHeight || UNMEASURED) / height) + 1;
      if (first !== view.peek().first || count !== view.peek().count) view.value = { first, count };
    };
    look();
    element.addEventListener("scroll", look, { passive: true });
    const observer = typeof ResizeObserver === "undefined" ? null : new ResizeObserver(look);
    observer?.observe(element);
    return () => {
      element.removeEventListener("scroll", look);
      observer?.disconnect();
    };
  }, [scroller, height, view]);
  return view;
}

function windowOf(rows: readonly SliderRow[], { first, count }: View, current: number): number[] {
  const from = Math.max(0, Math.min(first, rows.length - count) - SPARE);
  const to = Math.min(rows.length, first + count + SPARE);
  const shown = Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
  if (current < from && current < rows.length) return [current, ...shown];
  return current >= to && current < rows.length ? [...shown, current] : shown;
}
