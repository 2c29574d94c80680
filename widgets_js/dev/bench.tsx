// How long a slider takes at 1,000 strata and 100 or 1,203 classes, each in every stratum. Run by `npm run bench`.
import { render } from "preact";
import { ClassTable } from "../src/class-table/class-table.tsx";
import { CoverageStrip } from "../src/coverage/coverage-strip.tsx";
import { liveSession } from "./scripted-kernel.ts";
import type { Stratum } from "./strata.ts";

const STRATA = 1000;
const CLAUSES = 10;
const MOVES = 200;
const WARM_UP = 20;
const DRAG_MS = 3000;

const manyStrata =
  (numClasses: number) =>
  (_: Map<number, number>, fallback: number | null): Stratum[] => {
    return Array.from({ length: STRATA }, (_, s) => {
      const clauses = Array.from({ length: CLAUSES }, (_, k) => k).filter((k) => (s >> k) & 1);
      const size = 20 + ((s * 7919) % 300);
      const classes: Stratum["classes"] = {};
      for (let c = 0; c < numClasses; c++) {
        const rows = 1 + ((s * 31 + c * 17) % size);
        classes[c] = [rows, 2 * rows, 5 * rows];
      }
      return { size, clauses: [...clauses, fallback as number], classes };
    });
  };

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

async function measure(numClasses: number) {
  const names = Array.from({ length: numClasses }, (_, i) => `class ${i}`);
  const weights = Object.fromEntries(Array.from({ length: CLAUSES }, (_, k) => [k, 1 + k]));
  const { session } = liveSession({ names, weights, strata: manyStrata(numClasses) });
  const root = document.getElementById("root") as HTMLElement;
  render(
    <div class="penstock">
      <div style={{ height: "420px" }}>
        <ClassTable session={session} />
      </div>
      <div style={{ height: "120px" }}>
        <CoverageStrip session={session} />
      </div>
    </div>,
    root,
  );
  for (const part of ["bar", "curve-iid"]) while (root.querySelector(`[data-testid=${part}]`) === null) await pause(50);
  const slider = root.querySelector("[data-testid=weight-slider][data-class='class 0']") as HTMLInputElement;
  const chart = root.querySelector("[data-testid=penstock-classes]") as HTMLElement;
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
  const rows = root.querySelectorAll("[data-testid=bar]").length;
  render(null, root);
  session.dispose();
  return {
    strata: STRATA,
    classes: numClasses,
    rows_drawn: rows,
    slider_to_bars_ms: spreadOf(bars),
    slider_to_coverage_ms: spreadOf(curves),
    paints_per_second: Number(((1000 * paints) / (performance.now() - began)).toFixed(1)),
  };
}

async function both() {
  const usual = await measure(100);
  return { ...usual, many_classes: await measure(1203) };
}

void both().then(
  (result) => fetch("/result", { method: "POST", body: JSON.stringify(result) }),
  (failure) =>
    fetch("/result", { method: "POST", body: JSON.stringify({ failure: String(failure?.stack ?? failure) }) }),
);
