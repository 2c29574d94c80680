import { scaleLinear } from "d3-scale";
import { curveStepAfter, line } from "d3-shape";
import type { DrawPlan } from "../statistics/plan.ts";
import { type SeenLaws, timesSeen } from "../statistics/times-seen.ts";
import { classColor, classDash } from "../ui/colors.ts";
import { axisText, countText, shareText } from "../ui/number-text.ts";

const MARGIN = { top: 7, bottom: 16, left: 40, right: 10 };
const LEGEND = 86; // px at the right, where the chart keeps at least as much again
const LEGEND_ROW = 15;
const SWATCH = 16;
const MOST_STEPS = 160;
const SHOWN_SHARE = 0.995;
const AXIS_ROOM = 34;

interface Props {
  width: number;
  height: number;
  plan: DrawPlan;
  epochs: number;
  seen: SeenLaws;
  classes: readonly number[]; // beside all rows
  names: readonly string[];
}

/** How often rows have been drawn: share of rows drawn at most so many times. */
export function TimesChart({ width, height, plan, epochs, seen, classes, names }: Props) {
  const { times, series } = stepSeries(plan, seen, classes);
  const last = times.at(-1) ?? 1;
  const legend = series.length > 1 && width >= 2 * LEGEND + MARGIN.left;
  const right = width - (legend ? LEGEND : MARGIN.right);
  const x = scaleLinear()
    .domain([0, last])
    .range([MARGIN.left, Math.max(MARGIN.left + 1, right)]);
  const y = scaleLinear()
    .domain([0, 1])
    .range([height - MARGIN.bottom, MARGIN.top]);
  const ticks = x.ticks(Math.max(1, Math.min(last, 5, Math.floor((right - MARGIN.left) / AXIS_ROOM))));
  return (
    <div class="penstock-coverage-chart" data-testid="times-seen">
      <svg
        width={width}
        height={height}
        role="img"
        aria-label={`cumulative share of samples by the number of times drawn, after ${countText(epochs)} epochs`}
      >
        <g class="penstock-cover-axis">
          {[0, 0.5, 1].map((share) => (
            <g key={share}>
              <line x1={x(0)} x2={x(last)} y1={y(share)} y2={y(share)} />
              <text x={MARGIN.left - 5} y={y(share) + 4} text-anchor="end">
                {share === 1 ? "100%" : share * 100}
              </text>
            </g>
          ))}
          {ticks.filter(Number.isInteger).map((tick) => (
            <text key={tick} x={x(tick)} y={height - 3} text-anchor="middle">
              {`${axisText(tick)}${tick === 0 ? "" : "×"}`}
            </text>
          ))}
        </g>
        {series.map(({ classIndex, shares }) => (
          <path
            key={classIndex}
            class="penstock-ecdf"
            d={
              line<number>(
                (_, i) => x(times[i] as number),
                (share) => y(share),
              ).curve(curveStepAfter)([...shares]) ?? ""
            }
            {...strokeOf(classIndex)}
            data-testid="ecdf"
            data-class={classIndex === null ? "" : names[classIndex]}
            data-unseen={shares[0]}
          >
            <title>{toldOf(classIndex, names, shares)}</title>
          </path>
        ))}
        {legend &&
          series.map(({ classIndex, shares }, i) => (
            <g key={classIndex} transform={`translate(${width - LEGEND + 8} ${MARGIN.top + LEGEND_ROW * i})`}>
              <title>{toldOf(classIndex, names, shares)}</title>
              <line class="penstock-ecdf" x2={SWATCH} y1="4" y2="4" {...strokeOf(classIndex)} />
              <text class="penstock-curve-name" x={SWATCH + 4} y="8">
                {short(classIndex === null ? "all" : (names[classIndex] ?? ""))}
              </text>
            </g>
          ))}
      </svg>
    </div>
  );
}

function strokeOf(classIndex: number | null) {
  return {
    stroke: classIndex === null ? "var(--penstock-ink)" : classColor(classIndex),
    "stroke-dasharray": classIndex === null ? "none" : classDash(classIndex),
  };
}

function toldOf(classIndex: number | null, names: readonly string[], shares: Float64Array): string {
  const unseen = shareText(shares[0] ?? 0);
  return classIndex === null ? `all: ${unseen} never seen` : `${names[classIndex]}: ${unseen} never seen`;
}

const LONGEST = 9;

function short(name: string): string {
  return name.length > LONGEST ? `${name.slice(0, LONGEST - 1)}…` : name;
}

interface StepSeries {
  times: number[];
  series: { classIndex: number | null; shares: Float64Array }[];
}

function stepSeries(plan: DrawPlan, seen: SeenLaws, classes: readonly number[]): StepSeries {
  const ends = seen.laws.map((law) => law.first + firstAtLeast(law.cdf, SHOWN_SHARE));
  const last = Math.max(1, ...ends) + 1;
  const step = Math.ceil(last / MOST_STEPS);
  const times = Array.from({ length: Math.floor(last / step) + 1 }, (_, i) => i * step);
  const which: (number | null)[] = [...classes, null];
  const series = which.map((classIndex) => ({ classIndex, shares: timesSeen(plan, seen, classIndex, times) }));
  return { times, series: series.filter(({ shares }) => !Number.isNaN(shares[0] ?? Number.NaN)) };
}

function firstAtLeast(cdf: Float64Array, share: number): number {
  const found = cdf.findIndex((value) => value >= share);
  return found < 0 ? cdf.length - 1 : found;
}
