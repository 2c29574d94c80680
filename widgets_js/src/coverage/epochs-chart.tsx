import { type ReadonlySignal, useSignal } from "@preact/signals";
import { scaleLinear } from "d3-scale";
import { area, curveLinear, curveMonotoneX, line } from "d3-shape";
import type { Mode } from "../session/protocol.ts";
import type { Drawn } from "../statistics/drawn.ts";
import { labelPlaces } from "../ui/label-places.ts";
import { axisText, countText, shareText } from "../ui/number-text.ts";
import type { Curve } from "./coverage-curves.ts";

const MARGIN = { top: 7, bottom: 16, left: 40, right: 46 };
const LABEL_ROOM = 14;
const BASELINE = 4; // from a text's middle down to its baseline
const TICK = 4;
const DOT_ROOM = 6;
const AXIS_ROOM = 46; // a label of the axis with the space around it
const AXIS_NAME = 40; // "epochs", at the right end of it
const DIGIT = 7;

export interface EpochsChartProps {
  width: number;
  height: number;
  curves: readonly Curve[]; // the chosen one first
  horizon: number;
  basis: number; // rows that count as all
  drawable: number;
  marks: readonly { epoch: number | null; name: string }[]; // on the line of "all seen"
  drawn: ReadonlySignal<Drawn | null> | null;
  now?: number; // where training is: what is left of it is as drawn
}

interface Point {
  epoch: number;
  share: number;
  low: number;
  high: number;
}

interface Series {
  mode: Mode;
  points: Point[];
}

/** Share of rows seen at least once, epoch by epoch. */
export function EpochsChart({ width, height, curves, horizon, basis, drawable, marks, drawn, now }: EpochsChartProps) {
  const hovered = useSignal<number | null>(null);
  const series = curves.map(({ mode, epochs, coverage }) => ({ mode, points: points(epochs, coverage, basis) }));
  const mode = curves[0]?.mode ?? "iid";
  const x = scaleLinear()
    .domain([0, horizon])
    .range([MARGIN.left, Math.max(MARGIN.left + 1, width - MARGIN.right)]);
  const y = scaleLinear()
    .domain([0, 1])
    .range([height - MARGIN.bottom, MARGIN.top]);
  const ends = series.map((one) => y(one.points.at(-1)?.share ?? 0));
  const places = labelPlaces(ends, LABEL_ROOM, MARGIN.top, height - MARGIN.bottom - LABEL_ROOM);
  const ceiling = drawable > 0 && drawable < basis ? drawable / basis : null;
  const hover = (event: PointerEvent): void => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    hovered.value = nearest(series[0]?.points ?? [], x.invert(event.clientX - box.left));
  };
  const ticks = x.ticks(Math.max(2, Math.min(6, Math.floor((x(horizon) - x(0)) / AXIS_ROOM)))).filter(Number.isInteger);
  const beforeName = (epoch: number): boolean =>
    x(epoch) + (axisText(epoch).length * DIGIT) / 2 + 2 <= width - AXIS_NAME;
  return (
    <div class="penstock-coverage-chart">
      <svg
        width={width}
        height={height}
        role="img"
        aria-label={`share of samples seen in ${countText(horizon)} epochs; the sentence beside it has the numbers`}
        onPointerMove={hover}
        onPointerLeave={() => {
          hovered.value = null;
        }}
      >
        <g class="penstock-cover-axis">
          {[0, 0.5, 1].map((share) => (
            <g key={share}>
              <line x1={x(0)} x2={x(horizon)} y1={y(share)} y2={y(share)} />
              <text x={MARGIN.left - 5} y={y(share) + BASELINE} text-anchor="end">
                {share === 1 ? "100%" : share * 100}
              </text>
            </g>
          ))}
          {ticks.filter(beforeName).map((epoch) => (
            <text key={epoch} x={x(epoch)} y={height - 3} text-anchor="middle">
              {axisText(epoch)}
            </text>
          ))}
          <text x={width} y={height - 3} text-anchor="end">
            epochs
          </text>
        </g>
        {ceiling !== null && <Ceiling y={y(ceiling)} from={x(0)} to={x(horizon)} share={ceiling} />}
        {[...series].reverse().map((one) => (
          <Path key={one.mode} series={one} x={x} y={y} current={one.mode === mode} />
        ))}
        {marks.map(({ epoch, name }) =>
          epoch !== null && epoch <= horizon ? (
            <line
              key={name}
              class="penstock-cover-mark"
              x1={x(epoch)}
              x2={x(epoch)}
              y1={y(1) - TICK}
              y2={y(1) + TICK}
              data-testid="cover-mark"
              data-epoch={epoch}
            >
              <title>{`${name}: epoch ${countText(epoch)}`}</title>
            </line>
          ) : null,
        )}
        {drawn !== null && <Dots drawn={drawn} mode={mode} basis={basis} horizon={horizon} x={x} y={y} />}
        {series.map((one, i) => (
          <text
            key={one.mode}
            class={`penstock-curve-name${one.mode === mode ? " penstock-current" : ""}`}
            x={x(horizon) + 6}
            y={(places[i] as number) + BASELINE}
          >
            {one.mode}
          </text>
        ))}
        {now === undefined ? null : (
          <g class="penstock-now" data-testid="cover-now" data-epoch={now}>
            <line x1={x(now)} x2={x(now)} y1={MARGIN.top - 4} y2={y(0)} />
            <text x={x(now) + 4} y={y(0) - 4}>
              now
            </text>
          </g>
        )}
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

function points(epochs: readonly number[], { unique, low, high }: Curve["coverage"], basis: number): Point[] {
  const later = epochs.map((epoch, i) => ({
    epoch,
    share: (unique[i] ?? 0) / basis,
    low: (low[i] ?? 0) / basis,
    high: Math.min(1, (high[i] ?? 0) / basis),
  }));
  return [{ epoch: 0, share: 0, low: 0, high: 0 }, ...later];
}

function nearest(list: readonly Point[], at: number): number | null {
  const found = list.reduce<Point | null>(
    (best, one) => (best === null || Math.abs(one.epoch - at) < Math.abs(best.epoch - at) ? one : best),
    null,
  );
  return found === null || found.epoch < 1 ? null : found.epoch;
}

type Scale = (value: number) => number;

interface PathProps {
  series: Series;
  x: Scale;
  y: Scale;
  current: boolean;
}

function Path({ series: { mode, points: list }, x, y, current }: PathProps) {
  const curve = mode === "iid" ? curveMonotoneX : curveLinear; // within an epoch the others see a new row each draw
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
    <g class="penstock-curve" data-current={current}>
      {current && mode !== "deck" && <path class="penstock-curve-band" d={band ?? ""} />}
      <path
        class="penstock-curve-line"
        d={path ?? ""}
        data-testid={`curve-${mode}`}
        data-epochs={list.map(({ epoch }) => epoch).join(" ")}
        data-shares={list.map(({ share }) => Number(share.toPrecision(10))).join(" ")}
      />
    </g>
  );
}

function Ceiling({ y, from, to, share }: { y: number; from: number; to: number; share: number }) {
  return (
    <g class="penstock-ceiling" data-testid="ceiling" data-share={share}>
      <line x1={from} x2={to} y1={y} y2={y} />
      <text x={to} y={share < 0.5 ? y - 4 : y + 12} text-anchor="end">
        {`${shareText(share)} can be drawn`}
      </text>
    </g>
  );
}

interface DotsProps {
  drawn: ReadonlySignal<Drawn | null>;
  mode: Mode;
  basis: number;
  horizon: number;
  x: Scale;
  y: Scale;
}

/** What the loader's own stream has seen; dots that would cover one another are left out. */
function Dots({ drawn, mode, basis, horizon, x, y }: DotsProps) {
  const found = drawn.value;
  if (found === null) return null;
  const stale = found.stale || found.mode !== mode;
  let last = Number.NEGATIVE_INFINITY;
  const shown = found.unique.flatMap((rows, i) => {
    const at = { x: x(i + 1), y: y(Math.min(1, rows / basis)), rows };
    if (i + 1 > horizon || (i > 0 && at.x - last < DOT_ROOM)) return [];
    last = at.x;
    return [at];
  });
  return (
    <g class="penstock-dots" data-testid="drawn" data-stale={stale}>
      <title>{stale ? "drawn by the loader before this change" : "drawn by the loader"}</title>
      {shown.map((at) => (
        <circle key={at.x} cx={at.x} cy={at.y} r={2.5} data-testid="drawn-dot" data-unique={at.rows} />
      ))}
    </g>
  );
}

interface ReadoutProps {
  epoch: number;
  series: readonly Series[];
  left: number;
  width: number;
}

function Readout({ epoch, series, left, width }: ReadoutProps) {
  const side = left > width / 2 ? { right: `${width - left + 6}px` } : { left: `${left + 6}px` };
  return (
    <div class="penstock-readout" style={side} data-testid="coverage-numbers">
      <b>{`epoch ${countText(epoch)}`}</b>
      <dl>
        {series.map(({ mode, points: list }) => (
          <ReadoutLine key={mode} name={mode} point={list.find((point) => point.epoch === epoch)} />
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
        {shareText(point.share)} <span>{spread}</span>
      </dd>
    </>
  );
}
