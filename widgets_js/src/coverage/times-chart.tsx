import { scaleLinear } from "d3-scale";
import { curveStepAfter, line } from "d3-shape";
import type { DrawPlan } from "../statistics/plan.ts";
import { seenLaws, timesSeen } from "../statistics/times-seen.ts";
import { classColor, classDash } from "../ui/colors.ts";
import { useMeasuredWidth } from "../ui/measured-width.ts";
import { axisText, countText } from "../ui/number-text.ts";
import { chartHeight } from "./label-places.ts";

const MARGIN = { top: 8, bottom: 22, left: 38, right: 12 };
const MOST_STEPS = 160;
const SHOWN_SHARE = 0.995;

interface Props {
  plan: DrawPlan;
  epochs: number;
  classes: readonly number[]; // beside all rows
  names: readonly string[];
}

/** How often rows have been drawn: share of rows drawn at most so many times. */
export function TimesChart({ plan, epochs, classes, names }: Props) {
  const [frame, width] = useMeasuredWidth<HTMLDivElement>(312);
  const height = chartHeight(width);
  const { times, series } = stepSeries(plan, epochs, classes);
  const last = times.at(-1) ?? 1;
  const x = scaleLinear()
    .domain([0, last])
    .range([MARGIN.left, width - MARGIN.right]);
  const y = scaleLinear()
    .domain([0, 1])
    .range([height - MARGIN.bottom, MARGIN.top]);
  return (
    <div ref={frame} class="penstock-coverage-chart" data-testid="times-seen">
      <svg
        width={width}
        height={height}
        role="img"
        aria-label={`cumulative share of samples by the number of times drawn, after ${epochs} epochs`}
      >
        <g class="penstock-axis">
          {[0, 0.5, 1].map((share) => (
            <g key={share}>
              <line x1={x(0)} x2={x(last)} y1={y(share)} y2={y(share)} />
              <text x={MARGIN.left - 5} y={y(share) + 4} text-anchor="end">
                {`${share * 100}%`}
              </text>
            </g>
          ))}
          {x
            .ticks(Math.min(last, 5))
            .filter(Number.isInteger)
            .map((tick) => (
              <text key={tick} x={x(tick)} y={height - 7} text-anchor="middle">
                {axisText(tick)}
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
            stroke={classIndex === null ? "var(--penstock-ink)" : classColor(classIndex)}
            stroke-dasharray={classIndex === null ? "none" : classDash(classIndex)}
            data-testid="ecdf"
            data-class={classIndex === null ? "" : names[classIndex]}
            data-unseen={shares[0]}
          />
        ))}
      </svg>
      <div class="penstock-axis-title">times drawn · cumulative share of samples</div>
      <div class="penstock-legend">
        {series.map(({ classIndex, shares }) => (
          <span key={classIndex} title={`${countText(100 * (shares[0] ?? 0))}% not seen in ${epochs} epochs`}>
            <svg class="penstock-swatch" width="16" height="9" aria-hidden="true">
              <line
                class="penstock-ecdf"
                x2="16"
                y1="5"
                y2="5"
                stroke={classIndex === null ? "var(--penstock-ink)" : classColor(classIndex)}
                stroke-dasharray={classIndex === null ? "none" : classDash(classIndex)}
              />
            </svg>
            <span class="penstock-legend-name">{classIndex === null ? "all" : names[classIndex]}</span>
          </span>
        ))}
      </div>
    </div>
  );
}

interface StepSeries {
  times: number[];
  series: { classIndex: number | null; shares: Float64Array }[];
}

function stepSeries(plan: DrawPlan, epochs: number, classes: readonly number[]): StepSeries {
  const seen = seenLaws(plan, epochs);
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
