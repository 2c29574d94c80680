import { effect } from "@preact/signals";
import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { classColor } from "../ui/colors.ts";
import { type BarElements, drawBar, drawPast, drawTicks, markDrawn } from "./draw-bars.ts";
import { filterByRow } from "./filter-class.ts";
import type { RowProps } from "./row-props.ts";
import { figuresText } from "./row-text.ts";

/** Bars and counts of a row, raw and sampled. */
export function BarCells(props: RowProps) {
  const { model, row, columns, drawn, pattern } = props;
  const bars = useRef<HTMLDivElement>(null);
  const text = useRef<HTMLDivElement>(null);
  const size = columns.stacked ? 20 : 28;
  const { middle } = columns;
  useMarks(props, bars, text, size);
  const explain = (event: PointerEvent): void => {
    const figures = model.bars.peek();
    if (figures !== null) (event.currentTarget as HTMLElement).title = figuresText(row, figures, drawn.peek());
  };
  const { classIndex } = row;
  return (
    <>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: for keys there is the name beside it, a button that does the same */}
      <div
        ref={bars}
        role="cell"
        class={`penstock-bars-cell${classIndex === null ? "" : " penstock-can-filter"}`}
        data-testid="bar"
        data-class={row.label}
        data-class-index={classIndex ?? ""}
        onPointerEnter={explain}
        onClick={(event) => filterByRow(model.store, row, event)}
      >
        <svg width={columns.bars} height={size} aria-hidden="true">
          <path class="penstock-ticks" />
          <rect class="penstock-bar-raw" y={middle - 12} height="5" fill={`url(#${pattern})`} />
          <rect class="penstock-bar-sampled" y={middle - 4} height="8" fill={classColor(classIndex)} />
          <rect class="penstock-bar-past" y={middle - 4} height="8" fill={classColor(classIndex)} />
          <path class="penstock-whisker-halo" />
          <path class="penstock-whisker" />
          <circle class="penstock-drawn" cy={middle} r={2.5} visibility="hidden" />
        </svg>
      </div>
      <div ref={text} role="cell" class="penstock-text-cell" onPointerEnter={explain}>
        <span />
        <span>→</span>
        <b />
      </div>
    </>
  );
}

type Cell = RefObject<HTMLDivElement | null>;

/** Moves the marks of a row with the figures, without a render. */
function useMarks({ model, row, columns, axis, rested, drawn }: RowProps, bars: Cell, text: Cell, size: number): void {
  const { middle } = columns;
  useLayoutEffect(() => {
    const elements = elementsOf(bars.current, text.current);
    if (elements === null) return undefined;
    const firstEpoch = (): number | undefined => (row.classIndex === null ? undefined : drawn.value?.[row.classIndex]);
    const stops = [
      effect(() => {
        const figures = model.bars.value;
        if (figures !== null) drawBar(elements, figures.histogram, { bar: row.bar, scale: axis.value, middle });
      }),
      effect(() => {
        const past = row.classIndex === null ? null : model.bars.value?.past;
        drawPast(elements, past?.[row.classIndex ?? 0], axis.value);
      }),
      effect(() => drawTicks(elements, axis.value, size)),
      effect(() => markDrawn(elements, firstEpoch(), axis.value)),
      effect(() => {
        const figures = rested.value;
        if (figures !== null) elements.cell.setAttribute("aria-label", figuresText(row, figures, drawn.value));
      }),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }, [model, row, axis, middle, size, rested, drawn, bars, text]);
}

function elementsOf(cell: HTMLElement | null, text: HTMLElement | null): BarElements | null {
  const marks = [...(cell?.querySelector("svg")?.children ?? [])];
  const [ticks, raw, sampled, past, halo, whisker, drawn] = marks as unknown as [
    SVGPathElement,
    SVGRectElement,
    SVGRectElement,
    SVGRectElement,
    SVGPathElement,
    SVGPathElement,
    SVGCircleElement,
  ];
  const [rawText, , sampledText] = [...(text?.children ?? [])] as unknown as HTMLElement[];
  if (cell === null || drawn === undefined || rawText === undefined || sampledText === undefined) return null;
  return { cell, ticks, raw, sampled, past: past as SVGRectElement, halo, whisker, drawn, rawText, sampledText };
}
