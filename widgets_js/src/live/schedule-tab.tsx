import { scaleLinear, scaleLog } from "d3-scale";
import { placeOf } from "../session/live-state.ts";
import type { LiveState } from "../session/protocol.ts";
import type { Store } from "../session/store.ts";
import { classColor, classDash } from "../ui/colors.ts";
import { labelPlaces } from "../ui/label-places.ts";
import { axisText, countText, figureText } from "../ui/number-text.ts";
import { CoverChart, CoverSay, type Told } from "../ui/strip-parts.tsx";
import { extentOf, type LastChange, lastChange, type WeightLine, weightExtent, weightLines } from "./schedule-lines.ts";

const MARGIN = { top: 6, bottom: 16, left: 30, right: 66 };
const LABEL_ROOM = 13;
const BASELINE = 4;
const NAMED = 5;
const EPOCH_ROOM = 58; // of "epoch 12"
const NUMBER_ROOM = 26;
const LETTERS = 10;
const TICKS = [0.01, 0.05, 0.2, 1, 5, 20, 100, 500];

/** The weights over the positions of the stream, with a mark at now. */
export function ScheduleTab({ store }: { store: Store }) {
  const live = store.live.value;
  if (live === null) return null;
  const lines = weightLines(live);
  return (
    <>
      <CoverChart>{(box) => <ScheduleChart {...box} live={live} lines={lines} />}</CoverChart>
      <CoverSay told={scheduleText(live)} />
    </>
  );
}

export function scheduleText(live: LiveState): Told {
  const change = lastChange(live);
  if (change === null) return { headline: "As it began", sentence: [beginning(live)] };
  const { epoch, batch } = placeOf(live, change.start);
  const isToCome = change.start > live.position;
  const more = change.others > 0 ? ` and ${countText(change.others)} more` : "";
  return {
    headline: `${change.label} ${figureText(change.from)} → ${figureText(change.to)}${more}`,
    sentence: [
      isToCome ? "Recorded; holds from epoch " : "Changed at epoch ",
      { figure: countText(epoch) },
      ", batch ",
      { figure: countText(batch), testid: "schedule-batch", value: change.start },
      isToCome ? " on: those before it are drawn." : "; recorded. A resumed run draws the same.",
    ],
  };
}

function beginning({ state, follows, when }: LiveState): string {
  if (state === "ended") return "Weights did not change during this run.";
  if (!follows) return "Sliders are detached: weights that are moved do not reach the loader.";
  return `Move a weight: it takes effect at the ${when === "next_batch" ? "next batch" : "next epoch"}, and is recorded.`;
}

interface ChartProps {
  width: number;
  height: number;
  live: LiveState;
  lines: readonly WeightLine[];
}

function ScheduleChart({ width, height, live, lines }: ChartProps) {
  const end = extentOf(live);
  const { low, high, zero } = weightExtent(lines);
  const right = Math.max(MARGIN.left + 1, width - MARGIN.right);
  const bottom = height - MARGIN.bottom;
  const x = scaleLinear().domain([0, end]).range([MARGIN.left, right]);
  const log = scaleLog().domain([low, high]).range([bottom, MARGIN.top]);
  const y = (weight: number): number => (weight > 0 ? log(weight) : bottom);
  const now = x(Math.min(end, live.position));
  const named = lines.slice(0, NAMED);
  const places = labelPlaces(
    named.map(({ steps }) => y(steps.at(-1)?.weight ?? 1)),
    LABEL_ROOM,
    MARGIN.top + 2,
    bottom - 2,
  );
  return (
    <svg
      class="penstock-schedule"
      width={width}
      height={height}
      role="img"
      aria-label={ariaText(live, lines)}
      data-testid="penstock-schedule"
      data-position={live.position}
      data-entries={live.num_entries}
    >
      <g class="penstock-cover-axis">
        {ticksOf(low, high, zero, y).map(({ at, text }) => (
          <g key={text}>
            <line x1={MARGIN.left} x2={right} y1={at} y2={at} />
            <text x={MARGIN.left - 5} y={at + BASELINE} text-anchor="end">
              {text}
            </text>
          </g>
        ))}
        {epochMarks(end / Math.max(1, live.draws), x(live.draws) - x(0)).map(({ epoch, text }) => (
          <text key={epoch} x={x((epoch - 0.5) * live.draws)} y={height - 3} text-anchor="middle">
            {text}
          </text>
        ))}
        {borders(end, live.draws).map((at) => (
          <line key={at} x1={x(at)} x2={x(at)} y1={bottom} y2={bottom + 4} class="penstock-epoch-tick" />
        ))}
      </g>
      {[...lines].reverse().map((line) => (
        <Steps key={line.label} line={line} {...{ x, y, now, end }} />
      ))}
      {named.map((line, i) => (
        <text
          key={line.label}
          class="penstock-curve-name"
          x={right + 6}
          y={(places[i] as number) + BASELINE}
          style={{ fill: nameColor(line) }}
        >
          {line.label.length > LETTERS ? `${line.label.slice(0, LETTERS - 1)}…` : line.label}
          <title>{line.label}</title>
        </text>
      ))}
      <g class="penstock-now" data-testid="penstock-now" data-position={live.position}>
        <line x1={now} x2={now} y1={MARGIN.top - 4} y2={bottom} />
        <text
          x={now > MARGIN.left + 34 ? now - 4 : now + 4}
          y={bottom - 3}
          text-anchor={now > MARGIN.left + 34 ? "end" : "start"}
        >
          now
        </text>
      </g>
    </svg>
  );
}

/** Names are text: they keep the contrast of text, and a line of their own color beside them says which is which. */
function nameColor(_line: WeightLine): string {
  return "var(--penstock-ink)";
}

interface StepsProps {
  line: WeightLine;
  x: (position: number) => number;
  y: (weight: number) => number;
  now: number;
  end: number;
}

/** Solid up to now, faded after it. */
function Steps({ line, x, y, now, end }: StepsProps) {
  const points = line.steps.map(({ start, weight }) => ({ at: x(start), to: y(weight) }));
  const style = { stroke: classColor(line.classIndex) };
  const dash = line.classIndex === null ? "none" : classDash(line.classIndex);
  const past = pathOf(
    points.filter(({ at }) => at <= now),
    now,
  );
  const held = points.filter(({ at }) => at <= now).at(-1);
  const future = [...(held === undefined ? [] : [{ at: now, to: held.to }]), ...points.filter(({ at }) => at > now)];
  return (
    <g class="penstock-weight-line" data-testid="penstock-weight-line" data-label={line.label}>
      <title>{`${line.label}: ${line.steps
        .map(({ weight }) => figureText(weight))
        .slice(-6)
        .join(" → ")}`}</title>
      <path d={past} style={style} stroke-dasharray={dash} />
      <path class="penstock-to-come" d={pathOf(future, x(end))} style={style} stroke-dasharray={dash} />
    </g>
  );
}

function pathOf(points: readonly { at: number; to: number }[], end: number): string {
  const [first, ...later] = points;
  if (first === undefined) return "";
  const moves = later.map(({ at, to }) => `H${at.toFixed(1)}V${to.toFixed(1)}`).join("");
  return `M${first.at.toFixed(1)} ${first.to.toFixed(1)}${moves}H${end.toFixed(1)}`;
}

function ticksOf(
  low: number,
  high: number,
  zero: boolean,
  y: (weight: number) => number,
): { at: number; text: string }[] {
  const inside = TICKS.filter((tick) => tick >= low * 0.999 && tick <= high * 1.001 && !(zero && tick < low * 1.5));
  const marks = inside.length > 0 ? inside : [high];
  const top = marks.at(-1) as number;
  if (high / top > 2.5) marks.push(Number(high.toPrecision(2)));
  const all = marks.map((tick) => ({ at: y(tick), text: axisText(tick) }));
  return zero ? [{ at: y(0), text: "0" }, ...all] : all;
}

/** "epoch 3" under its part of the axis, fewer and shorter where there are many. */
function epochMarks(epochs: number, room: number): { epoch: number; text: string }[] {
  const count = Math.round(epochs);
  const words = room >= EPOCH_ROOM;
  const step = words ? 1 : Math.max(1, Math.ceil(NUMBER_ROOM / Math.max(1, room)));
  return Array.from({ length: Math.ceil(count / step) }, (_, i) => 1 + i * step).map((epoch, i) => ({
    epoch,
    text:
      words || (i === 0 && count > 2 * step && room * step >= EPOCH_ROOM)
        ? `epoch ${countText(epoch)}`
        : axisText(epoch),
  }));
}

const MOST_BORDERS = 40;

function borders(end: number, draws: number): number[] {
  const count = Math.round(end / Math.max(1, draws));
  return count > MOST_BORDERS ? [] : Array.from({ length: Math.max(0, count - 1) }, (_, i) => (i + 1) * draws);
}

function ariaText(live: LiveState, lines: readonly WeightLine[]): string {
  const now = lines.slice(0, NAMED).map(({ label, steps }) => `${label} ${figureText(steps.at(-1)?.weight ?? 1)}`);
  const { epoch, batch } = placeOf(live, live.position);
  const weights = now.length === 0 ? "every weight is 1" : `weights now: ${now.join(", ")}`;
  return `weights over the run, ${countText(live.num_entries)} ${live.num_entries === 1 ? "entry" : "entries"}; now at epoch ${countText(epoch)}, batch ${countText(batch)}; ${weights}`;
}

export type { LastChange };
