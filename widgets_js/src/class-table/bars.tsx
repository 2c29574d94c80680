import { effect, type ReadonlySignal, type Signal, useSignal } from "@preact/signals";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { Store } from "../session/store.ts";
import { type Drawn, useDrawn } from "../statistics/drawn.ts";
import { classColor } from "../ui/colors.ts";
import { focusable } from "../ui/focus.ts";
import { useMeasuredWidth } from "../ui/measured-width.ts";
import { axisText } from "../ui/number-text.ts";
import { useUniqueId } from "../ui/unique-id.ts";
import { type AxisScale, axisScale, type Extent, extentOf } from "./axis-scale.ts";
import { BarNumbers } from "./bar-numbers.tsx";
import type { BarSource } from "./bar-source.ts";
import { type BarElements, drawBars, markDrawn } from "./draw-bars.ts";
import { labelWidth } from "./label-width.ts";

interface Props {
  store: Store;
  source: ReadonlySignal<BarSource | null>;
  classes: readonly number[];
  names: readonly string[];
  log: boolean;
  pattern: string;
}

const TIGHT_FROM = 13; // rows: from then on they are lower
const ROOMY = { height: 26, raw: 8, sampled: 10, gap: 1.5, top: 4 };
const TIGHT = { height: 20, raw: 6, sampled: 8, gap: 1, top: 2.5 };

export function Bars({ store, source, classes, names, log, pattern }: Props) {
  const [frame, width] = useMeasuredWidth<HTMLDivElement>(312);
  const elements = useRef(new Map<number, BarElements>());
  const shape = classes.length >= TIGHT_FROM ? TIGHT : ROOMY;
  const labels = useMemo(() => labelWidth(classes, names, width), [classes, names, width]);
  const plot = Math.max(40, width - labels - 8);
  const axis = useAxis({ store, source, classes, log, plot });
  const hovered = useSignal<number | null>(null);
  const numbers = useUniqueId("numbers");

  const drawn = useDrawn(store);
  const middle = shape.top + shape.raw + shape.gap + shape.sampled / 2;

  useLayoutEffect(() => {
    collect(frame.current, classes, elements.current);
    const stops = [
      effect(() => {
        const bars = source.value;
        if (bars !== null) drawBars(elements.current, bars.histogram, axis.value, middle);
      }),
      effect(() => markDrawn(elements.current, drawnCounts(store, drawn.value), axis.value)),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }, [frame, classes, source, axis, middle, drawn, store]);

  return (
    <div ref={frame} class="penstock-bars" style={{ "--penstock-label": `${labels}px` }}>
      <svg class="penstock-bars-plot" width={plot + 8} height={classes.length * shape.height + 20} aria-hidden="true">
        <Axis axis={axis} height={classes.length * shape.height} />
        {classes.map((c, i) => (
          <g key={c} data-bar={c} transform={`translate(0 ${i * shape.height})`}>
            <rect class="penstock-bar-raw" y={shape.top} height={shape.raw} fill={`url(#${pattern})`} />
            <rect
              class="penstock-bar-sampled"
              y={shape.top + shape.raw + shape.gap}
              height={shape.sampled}
              fill={classColor(source.peek()?.classOf(c) ?? null)}
            />
            <path class="penstock-whisker-halo" />
            <path class="penstock-whisker" />
            <circle class="penstock-drawn" cy={middle} r={2.4} visibility="hidden" />
          </g>
        ))}
      </svg>
      {classes.map((c) => (
        <Row
          key={c}
          {...{ store, source, hovered, numbers, bar: c, height: shape.height, name: names[c] ?? `class ${c}` }}
        />
      ))}
      <BarNumbers
        {...{ source, hovered, names, id: numbers }}
        drawn={drawnCounts(store, drawn.value)}
        place={(c) => placeOf(classes.indexOf(c), classes.length, shape.height)}
      />
    </div>
  );
}

/** The stream is counted in instances, and only for the weights that now stand. */
function drawnCounts(store: Store, drawn: Drawn | null): readonly number[] | null {
  const fits = drawn !== null && !drawn.stale && drawn.counts.length > 0;
  return fits && store.unit.value === "instances" ? drawn.counts : null;
}

function placeOf(at: number, count: number, height: number): { top: number } | { bottom: number } {
  return at < count / 2 || at < 3 ? { top: (at + 1) * height + 2 } : { bottom: (count - at) * height + 24 };
}

interface RowProps {
  store: Store;
  source: ReadonlySignal<BarSource | null>;
  hovered: Signal<number | null>;
  numbers: string; // id of the element that tells the figures
  bar: number;
  height: number;
  name: string;
}

/** A bar's row: its name, its figures for readers and tests, and a press that filters the grid. */
function Row({ store, source, hovered, numbers, bar, height, name }: RowProps) {
  const classIndex = source.peek()?.classOf(bar) ?? null;
  const filtered = classIndex !== null && store.classFilter.value === classIndex;
  const leave = (): void => {
    if (hovered.value === bar) hovered.value = null;
  };
  return (
    <button
      {...focusable}
      type="button"
      class="penstock-bar-row"
      style={{ height: `${height}px` }}
      data-testid="bar"
      data-class={name}
      data-class-index={classIndex ?? ""}
      data-bar-row={bar}
      aria-pressed={filtered}
      aria-label={
        classIndex === null ? name : `${name}: ${filtered ? "show all samples again" : "show only samples with it"}`
      }
      onClick={() => classIndex !== null && store.actions.filterClass(filtered ? null : classIndex)}
      onPointerEnter={() => {
        hovered.value = bar;
      }}
      onPointerLeave={leave}
      onFocus={() => {
        hovered.value = bar;
      }}
      onBlur={leave}
      aria-describedby={numbers}
    >
      <span>{name}</span>
    </button>
  );
}

/** While a slider moves, the axis grows when it must and shrinks only at rest, so that bars do not jump. */
function useAxis({
  store,
  source,
  classes,
  log,
  plot,
}: Pick<Props, "store" | "source" | "classes" | "log"> & { plot: number }): ReadonlySignal<AxisScale> {
  const axis = useSignal<AxisScale>(axisScale({ highest: 1, lowest: 1 }, plot, log));
  const held = useRef<Extent | null>(null);
  useLayoutEffect(() => {
    held.current = null;
    return effect(() => {
      const bars = source.value;
      if (bars === null) return;
      const { raw, expected, high } = bars.histogram;
      const needed = extentOf(classes, raw, expected, high);
      const last = held.current;
      if (store.dragging.value && last !== null && last.highest >= needed.highest) return;
      if (last !== null && last.highest === needed.highest && last.lowest === needed.lowest) return;
      held.current = needed;
      axis.value = axisScale(needed, plot, log);
    });
  }, [store, source, classes, log, plot, axis]);
  return axis;
}

function Axis({ axis, height }: { axis: ReadonlySignal<AxisScale>; height: number }) {
  const scale = axis.value;
  return (
    <g class="penstock-axis">
      {scale.ticks.map((tick) => (
        <g key={tick}>
          <line x1={scale(tick)} x2={scale(tick)} y1={2} y2={height + 2} />
          <text x={scale(tick)} y={height + 15} text-anchor="middle">
            {axisText(tick)}
          </text>
        </g>
      ))}
    </g>
  );
}

function collect(frame: HTMLElement | null, classes: readonly number[], into: Map<number, BarElements>): void {
  into.clear();
  for (const c of classes) {
    const row = frame?.querySelector<HTMLElement>(`[data-bar-row="${c}"]`);
    const marks = frame?.querySelector(`[data-bar="${c}"]`)?.children;
    const [raw, sampled, halo, whisker, drawn] = (marks ?? []) as unknown as [
      SVGRectElement,
      SVGRectElement,
      SVGPathElement,
      SVGPathElement,
      SVGCircleElement,
    ];
    if (row && drawn) into.set(c, { row, raw, sampled, halo, whisker, drawn });
  }
}
