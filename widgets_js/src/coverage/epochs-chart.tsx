import { type ReadonlySignal, useSignal } from "@preact/signals";
import { scaleLinear } from "d3-scale";
import { area, curveLinear, curveMonotoneX, line } from "d3-shape";
import type { Mode } from "../session/protocol.ts";
import type { Coverage } from "../statistics/coverage.ts";
import type { Drawn } from "../statistics/drawn.ts";
import { useMeasuredWidth } from "../ui/measured-width.ts";
import { shareText } from "../ui/number-text.ts";
import { chartHeight, labelPlaces } from "./label-places.ts";

const LABEL_ORDER: readonly Mode[] = ["deck", "once", "iid"];
const MARGIN = { top: 8, bottom: 22, left: 38, right: 54 };
const LABEL_ROOM = 13;
const BASELINE = 4; // from a text's middle down to its baseline

export interface EpochsChartProps {
  curves: Partial<Record<Mode, Coverage>>;
  mode: Mode;
  basis: number; // rows that count as all
  drawable: number;
  drawn: ReadonlySignal<Drawn | null> | null;
}

interface Point {
  epoch: number;
  share: number;
  low: number;
  high: number;
}

/** Share of rows seen at least once, epoch by epoch. */
export function EpochsChart({ curves, mode, basis, drawable, drawn }: EpochsChartProps) {
  const [frame, width] = useMeasuredWidth<HTMLDivElement>(312);
  const height = chartHeight(width);
  const hovered = useSignal<number | null>(null);
  const shown = LABEL_ORDER.filter((name) => curves[name] !== undefined);
  const drawnOrder = [...shown].sort((a, b) => Number(a === mode) - Number(b === mode));
  const series = new Map(shown.map((name) => [name, points(curves[name] as Coverage, basis)]));
  const epochs = Math.max(1, ...[...series.values()].map((list) => list.length - 1));
  const x = scaleLinear()
    .domain([0, epochs])
    .range([MARGIN.left, width - MARGIN.right]);
  const y = scaleLinear()
    .domain([0, 1])
    .range([height - MARGIN.bottom, MARGIN.top]);
  const ends = shown.map((name) => y(series.get(name)?.at(-1)?.share ?? 0));
  const places = labelPlaces(ends, LABEL_ROOM, MARGIN.top, height - MARGIN.bottom);
  const ceiling = drawable < basis ? drawable / basis : null;
  const hover = (event: PointerEvent): void => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const epoch = Math.round(x.invert(event.clientX - box.left));
    hovered.value = epoch >= 1 && epoch <= epochs ? epoch : null;
  };
  return (
    <div ref={frame} class="penstock-coverage-chart">
      <svg
        width={width}
        height={height}
        role="img"
        aria-label={`share of samples seen in ${epochs} epochs; the table below has the numbers`}
        onPointerMove={hover}
        onPointerLeave={() => {
          hovered.value = null;
        }}
      >
        <g class="penstock-axis">
          {[0, 0.5, 1].map((share) => (
            <g key={share}>
              <line x1={x(0)} x2={x(epochs)} y1={y(share)} y2={y(share)} />
              <text x={MARGIN.left - 5} y={y(share) + BASELINE} text-anchor="end">
                {`${share * 100}%`}
              </text>
            </g>
          ))}
          {x.ticks(epochs >= 10 ? 4 : epochs).map((epoch) => (
            <text key={epoch} x={x(epoch)} y={height - 7} text-anchor="middle">
              {epoch}
            </text>
          ))}
          <text x={width} y={height - 7} text-anchor="end">
            epochs
          </text>
        </g>
        {ceiling !== null && <Ceiling low={ceiling < 0.5} y={y(ceiling)} from={x(0)} to={x(epochs)} share={ceiling} />}
        {drawnOrder.map((name) => (
          <Curve key={name} name={name} points={series.get(name) ?? []} x={x} y={y} current={name === mode} />
        ))}
        {drawn !== null && <Dots drawn={drawn} mode={mode} basis={basis} x={x} y={y} />}
        {shown.map((name, i) => (
          <text
            key={name}
            class={`penstock-curve-name penstock-is-${name}`}
            x={x(epochs) + 6}
            y={(places[i] as number) + BASELINE}
            font-weight={name === mode ? 600 : 400}
          >
            {name}
          </text>
        ))}
        {hovered.value !== null && (
          <line class="penstock-crosshair" x1={x(hovered.value)} x2={x(hovered.value)} y1={MARGIN.top} y2={y(0)} />
        )}
      </svg>
      {hovered.value !== null && (
        <Readout epoch={hovered.value} series={series} left={x(hovered.value)} width={width} />
      )}
    </div>
  );
}

function points({ unique, low, high }: Coverage, basis: number): Point[] {
  const list: Point[] = [{ epoch: 0, share: 0, low: 0, high: 0 }];
  unique.forEach((rows, i) => {
    list.push({
      epoch: i + 1,
      share: rows / basis,
      low: (low[i] ?? 0) / basis,
      high: Math.min(1, (high[i] ?? 0) / basis),
    });
  });
  return list;
}

type Scale = (value: number) => number;

interface CurveProps {
  name: Mode;
  points: Point[];
  x: Scale;
  y: Scale;
  current: boolean;
}

function Curve({ name, points: list, x, y, current }: CurveProps) {
  const curve = name === "iid" ? curveMonotoneX : curveLinear; // within an epoch the others see a new row each draw
  const path = line<Point>(
    (p) => x(p.epoch),
    (p) => y(p.share),
  ).curve(curve)(list);
  const band = area<Point>()
    .x((p) => x(p.epoch))
    .y0((p) => y(p.low))
    .y1((p) => y(p.high))
    .curve(curve)(list);
  return (
    <g class={`penstock-curve penstock-is-${name}`} data-current={current}>
      {name !== "deck" && <path class="penstock-curve-band" d={band ?? ""} />}
      <path class="penstock-curve-line" d={path ?? ""} data-testid={`curve-${name}`} data-shares={sharesText(list)} />
    </g>
  );
}

function sharesText(list: readonly Point[]): string {
  return list.map(({ share }) => Number(share.toPrecision(10))).join(" ");
}

function Ceiling({ y, from, to, share, low }: { y: number; from: number; to: number; share: number; low: boolean }) {
  return (
    <g class="penstock-ceiling" data-testid="ceiling" data-share={share}>
      <line x1={from} x2={to} y1={y} y2={y} />
      <text x={to} y={low ? y - 5 : y + 13} text-anchor="end">
        {`${shareText(share)} can be drawn`}
      </text>
    </g>
  );
}

interface DotsProps {
  drawn: ReadonlySignal<Drawn | null>;
  mode: Mode;
  basis: number;
  x: Scale;
  y: Scale;
}

function Dots({ drawn, mode, basis, x, y }: DotsProps) {
  const found = drawn.value;
  if (found === null) return null;
  const stale = found.stale || found.mode !== mode;
  return (
    <g class="penstock-dots" data-testid="drawn" data-stale={stale}>
      {found.unique.map((rows, i) => (
        <circle
          key={x(i)}
          cx={x(i + 1)}
          cy={y(Math.min(1, rows / basis))}
          r={2.6}
          data-testid="drawn-dot"
          data-unique={rows}
        />
      ))}
    </g>
  );
}

function Readout({
  epoch,
  series,
  left,
  width,
}: {
  epoch: number;
  series: Map<Mode, Point[]>;
  left: number;
  width: number;
}) {
  const side = left > width / 2 ? { right: `${width - left + 6}px` } : { left: `${left + 6}px` };
  return (
    <div class="penstock-bar-numbers penstock-readout" style={side} data-testid="coverage-numbers">
      <b>{`epoch ${epoch}`}</b>
      <dl>
        {[...series].map(([name, list]) => (
          <ReadoutLine key={name} name={name} point={list[epoch]} />
        ))}
      </dl>
    </div>
  );
}

function ReadoutLine({ name, point }: { name: Mode; point: Point | undefined }) {
  if (point === undefined) return null;
  const spread = point.high > point.low ? `${shareText(point.low)} – ${shareText(point.high)}` : "";
  return (
    <>
      <dt>{name}</dt>
      <dd>
        {shareText(point.share)} <span class="penstock-bar-band">{spread}</span>
      </dd>
    </>
  );
}
