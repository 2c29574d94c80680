// How long a slider takes at 1,000 strata and 100 classes, each in every stratum. Run by `npm run bench`.
import { render } from "preact";
import { HistogramPanel } from "../src/class-table/histogram-panel.tsx";
import { WeightsPanel } from "../src/class-table/weights-panel.tsx";
import { CoverageStrip } from "../src/coverage/coverage-strip.tsx";
import { liveSession } from "./scripted-kernel.ts";
import type { Stratum } from "./strata.ts";

const STRATA = 1000;
const CLASSES = 100;
const CLAUSES = 10;
const MOVES = 200;
const WARM_UP = 20;
const DRAG_MS = 3000;

function manyStrata(_: Map<number, number>, fallback: number | null): Stratum[] {
  return Array.from({ length: STRATA }, (_, s) => {
    const clauses = Array.from({ length: CLAUSES }, (_, k) => k).filter((k) => (s >> k) & 1);
    const size = 20 + ((s * 7919) % 300);
    const classes: Stratum["classes"] = {};
    for (let c = 0; c < CLASSES; c++) {
      const rows = 1 + ((s * 31 + c * 17) % size);
      classes[c] = [rows, 2 * rows, 5 * rows];
    }
    return { size, clauses: [...clauses, fallback as number], classes };
  });
}

interface Spread {
  median: number;
  p95: number;
}

function spreadOf(times: number[]): Spread {
  const sorted = times.slice(WARM_UP).sort((a, b) => a - b);
  const at = (q: number) => Number((sorted[Math.floor(q * (sorted.length - 1))] ?? Number.NaN).toFixed(2));
  return { median: at(0.5), p95: at(0.95) };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function measure() {
  const names = Array.from({ length: CLASSES }, (_, i) => `class ${i}`);
  const weights = Object.fromEntries(Array.from({ length: CLAUSES }, (_, k) => [k, 1 + k]));
  const { session } = liveSession({ names, weights, strata: manyStrata });
  const root = document.getElementById("root") as HTMLElement;
  const { store } = session;
  render(
    <div class="penstock">
      <WeightsPanel store={store} />
      <HistogramPanel store={store} />
      <CoverageStrip session={session} />
    </div>,
    root,
  );
  while (root.querySelector(".penstock-bars-search button") === null) await pause(50);
  root.querySelector<HTMLElement>(".penstock-bars-search button")?.click(); // all 100 bars
  while (root.querySelectorAll("[data-testid=bar]").length < CLASSES) await pause(50);
  const slider = root.querySelector("[data-testid=weight-slider]") as HTMLInputElement;
  const chart = root.querySelector(".penstock-bars") as HTMLElement;
  const curve = (): Element => root.querySelector("[data-testid=curve-iid]") as Element;
  const move = (i: number): void => {
    slider.value = String(520 + ((i * 37) % 460));
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  };

  const bars: number[] = [];
  const curves: number[] = [];
  const real = window.requestAnimationFrame;
  for (let i = 0; i < MOVES; i++) {
    const frames: FrameRequestCallback[] = [];
    window.requestAnimationFrame = (callback) => frames.push(callback);
    const before = curve().getAttribute("d");
    const start = performance.now();
    move(i);
    chart.getBoundingClientRect();
    bars.push(performance.now() - start);
    const next = performance.now();
    for (const callback of frames) callback(next);
    await Promise.resolve();
    for (let k = 0; k < 10 && curve().getAttribute("d") === before; k++) await Promise.resolve();
    root.getBoundingClientRect();
    curves.push(performance.now() - start);
    window.requestAnimationFrame = real;
    await pause(2);
  }

  let paints = 0;
  const began = performance.now();
  while (performance.now() - began < DRAG_MS) {
    await new Promise((resolve) => real(resolve));
    move(paints++);
  }
  return {
    strata: STRATA,
    classes: CLASSES,
    bars_shown: root.querySelectorAll("[data-testid=bar]").length,
    slider_to_bars_ms: spreadOf(bars),
    slider_to_coverage_ms: spreadOf(curves),
    paints_per_second: Number(((1000 * paints) / (performance.now() - began)).toFixed(1)),
  };
}

void measure().then(
  (result) => fetch("/result", { method: "POST", body: JSON.stringify(result) }),
  (failure) =>
    fetch("/result", { method: "POST", body: JSON.stringify({ failure: String(failure?.stack ?? failure) }) }),
);
