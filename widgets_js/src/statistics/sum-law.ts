// The law of a count that comes in pieces: how many instances some drawn rows have together, for few of them.
// penstock.sampling.laws._sum_law is the same in Python and says how.
import { type Choice, choiceMasses, pointsOf } from "./choice.ts";
import { massesOfHalf, type Turns, turnsOf } from "./fourier.ts";

/** Rows that bring another number of instances than the usual one: by how much, and how many are expected. */
interface Jumps {
  readonly jumps: readonly number[]; // none is 0
  readonly expected: readonly number[];
}

/** Rows that come by chance and as independent trials. */
export interface Drawn extends Jumps {
  readonly choice: Choice | null; // a law that is narrower, and costs more
  readonly gap: number; // mean minus variance of their number
  readonly trials: number | null; // null: the fewest with which a binomial law of this mean varies as much
}

/** Some of the rows of a stratum, chosen without replacement. */
export interface Dealt extends Jumps {
  readonly rows: readonly number[];
  readonly size: number;
  readonly taken: number;
}

export type Part = Drawn | Dealt;

/** What comes for certain, and what chance adds to it. */
export interface Split {
  readonly fixed: number;
  readonly parts: readonly Part[];
}

const FEW = 25;
const TAIL_BITS = 20;
const LONGEST = 2 ** 12;
const TIE = 1e-10;
const LEAST_SPREAD = 0.25;
const EXCESS = 0.25;
const MOST_TERMS = 2 ** 24;
const TAIL = 0.025;

/** The 95 % quantiles of the count; `ends`, the interval by its moments, where it is large enough for a normal law. */
export function sumInterval(
  { fixed, parts }: Split,
  { mean, variance }: { mean: number; variance: number },
  ends: readonly [number, number],
): readonly [number, number] {
  if (parts.length === 0) return [fixed, fixed];
  const chosen = bigJump(parts);
  if (chosen === null) return ends;
  const step = parts.reduce((found, part) => part.jumps.reduce(divisor, found), 0);
  const grid = gridOf(parts, chosen, { step, mean: (mean - fixed) / step, variance: variance / step ** 2 });
  if (grid.tooWide) {
    const narrower = choiceEnds(parts, mean, variance);
    if (narrower !== null) return narrower;
    const outward = [Math.floor((ends[0] - fixed) / step + TIE), Math.ceil((ends[1] - fixed) / step - TIE)] as const;
    return [fixed + step * outward[0], fixed + step * outward[1]];
  }
  const [low, high] = quantiles(massesOf(grid));
  const first = Math.floor(grid.mean) - grid.length / 2;
  const { cells } = grid;
  const lowest = cells === 1 ? first + low : Math.floor((first + low - 0.5) * cells);
  const highest = cells === 1 ? first + high : Math.ceil((first + high + 0.5) * cells);
  let [least, most] = [0, 0];
  for (const part of parts) {
    const [fewest, largest] = endsOf(part);
    least += fewest;
    most += largest;
  }
  return [fixed + Math.max(step * lowest, least), fixed + Math.min(step * highest, most)];
}

function choiceEnds(parts: readonly Part[], mean: number, variance: number): [number, number] | null {
  const choice = parts.flatMap((part) => (isDealt(part) ? [] : [part.choice]))[0] ?? null;
  if (choice === null) return null;
  const length = 2 ** Math.ceil(Math.log2(2 * reachOf(Math.max(...choice.counts), variance) + 2));
  const points = pointsOf(choice);
  if (points * length * choice.rows.length > MOST_TERMS) return null;
  const first = Math.floor(mean - choice.fixed) - length / 2;
  const [low, high] = quantiles(turned(choiceMasses(choice, length, points), first));
  return [choice.fixed + first + low, choice.fixed + first + high];
}

/** How far from the mean a sum of independent jumps is with a probability below 1e-8: Bernstein's bound. */
function reachOf(largest: number, variance: number): number {
  const third = (TAIL_BITS * largest) / 3;
  return third + Math.sqrt(third * third + 2 * TAIL_BITS * variance);
}

function divisor(a: number, b: number): number {
  let [x, y] = [Math.abs(a), Math.abs(b)];
  while (y > 0) [x, y] = [y, x % y];
  return x;
}

/** The least size of the jumps with a law of their own; null where the whole is nearly normal. */
function bigJump(parts: readonly Part[]): number | null {
  const bySize = new Map<number, number>();
  for (const { jumps, expected } of parts) {
    for (const [at, jump] of jumps.entries()) {
      const size = Math.abs(jump);
      bySize.set(size, (bySize.get(size) ?? 0) + (expected[at] as number));
    }
  }
  const sizes = [...bySize.keys()].sort((a, b) => a - b);
  let squares = 0;
  let cubes = 0;
  let found: number | null = sizes[0] as number;
  sizes.forEach((size, at) => {
    const rows = bySize.get(size) as number;
    squares += rows * size ** 2;
    cubes += rows * size ** 3;
    if (squares ** 3 >= FEW * cubes ** 2) found = sizes[at + 1] ?? null;
  });
  return found;
}

/** The circle of a law, in cells of a number of steps. */
interface Grid {
  readonly parts: readonly Part[];
  readonly big: readonly (readonly number[])[]; // of each part, the jumps with a law of their own
  readonly jumps: readonly (readonly number[])[]; // in cells
  readonly cells: number; // steps of a cell
  readonly length: number;
  readonly mean: number;
  readonly left: readonly [number, number] | null; // mean and variance of a normal rest; null: there is none
  readonly tooWide: boolean; // a binomial law of much more than the count's own variance
}

function gridOf(parts: readonly Part[], chosen: number, told: { step: number; mean: number; variance: number }): Grid {
  const { step } = told;
  const largest = Math.max(...parts.flatMap((part) => part.jumps.map(Math.abs))) / step;
  const reach = reachOf(largest, told.variance);
  const cells = Math.max(Math.ceil((2 * reach) / LONGEST), 1);
  const big = parts.map((part) => [...part.jumps.keys()].filter((at) => Math.abs(part.jumps[at] as number) >= chosen));
  const jumps = parts.map((part) => part.jumps.map((jump) => Math.floor(jump / (step * cells) + 0.5)));
  const mean = told.mean / cells;
  let left: [number, number] = [mean, 0];
  let bigSpread = 0;
  parts.forEach((part, p) => {
    const own = big[p] as number[];
    const others = [...part.jumps.keys()].filter((at) => !own.includes(at));
    const exact = part.jumps.map((jump) => jump / (step * cells));
    const [m, v] = momentsOf(part, own, jumps[p] as number[]);
    left = [left[0] - m, left[1] + momentsOf(part, own, exact)[1] + momentsOf(part, others, exact)[1] - v];
    bigSpread += v;
  });
  const whole = cells === 1 && parts.every((part, p) => (big[p] as number[]).length === part.jumps.length);
  const length = 2 ** Math.ceil(Math.log2((2 * reach) / cells + 2));
  const fitted = parts.some((part) => !isDealt(part) && part.trials === null);
  const tooWide = fitted && bigSpread > ((1 + EXCESS) * told.variance) / cells ** 2;
  return { parts, big, jumps, cells, length, mean, left: whole ? null : left, tooWide };
}

function isDealt(part: Part): part is Dealt {
  return "rows" in part;
}

function sumOf(values: readonly number[], at: readonly number[]): number {
  return at.reduce((sum, i) => sum + (values[i] as number), 0);
}

function momentsOf(part: Part, big: readonly number[], jumps: readonly number[]): [number, number] {
  const rows = isDealt(part) ? part.rows : part.expected;
  let mean = 0;
  let square = 0;
  for (const i of big) {
    mean += (rows[i] as number) * (jumps[i] as number);
    square += (rows[i] as number) * (jumps[i] as number) ** 2;
  }
  if (!isDealt(part)) {
    const all = part.expected.reduce((sum, n) => sum + n, 0);
    return [mean, square - part.gap * (mean / Math.max(all, 1e-300)) ** 2];
  }
  const count = sumOf(part.rows, big);
  if (count === 0) return [0, 0];
  const share = count / part.size;
  const number = part.taken * share;
  const spread = (number * (1 - share) * (part.size - part.taken)) / Math.max(part.size - 1, 1);
  const average = mean / count;
  return [number * average, number * (square / count - average ** 2) + spread * average ** 2];
}

/** The least and the most that so many rows can add. */
function endsOf(part: Part): [number, number] {
  if (!isDealt(part)) return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const usual = part.size - part.rows.reduce((sum, n) => sum + n, 0);
  const all: [number, number][] = [
    [0, usual],
    ...part.jumps.map((jump, i): [number, number] => [jump, part.rows[i] as number]),
  ];
  const first = (ordered: [number, number][]): number => {
    let open = part.taken;
    let sum = 0;
    for (const [jump, rows] of ordered) {
      const some = Math.min(open, rows);
      sum += some * jump;
      open -= some;
    }
    return sum;
  };
  all.sort(([a], [b]) => a - b);
  const least = first(all);
  return [least, first(all.reverse())];
}

/** The masses of the law from the smallest count of the circle on. */
function massesOf(grid: Grid): Float64Array {
  const { parts, big, jumps, length, left, mean } = grid;
  const half = length / 2;
  const turns = turnsOf(length);
  const re = new Float64Array(length).fill(1, 0, half + 1);
  const im = new Float64Array(length);
  parts.forEach((part, p) => {
    const own = big[p] as number[];
    if (own.length > 0) multiply(re, im, spectrum(part, own, jumps[p] as number[], turns));
  });
  if (left !== null) multiply(re, im, normalSpectrum(length, left[0], Math.max(left[1], LEAST_SPREAD)));
  return turned(massesOfHalf(re, im), Math.floor(mean) - half);
}

/** The masses from some count on, none below 0. */
function turned(masses: Float64Array, first: number): Float64Array {
  const length = masses.length;
  return masses.map((_, k) => Math.max(masses[(((first + k) % length) + length) % length] as number, 0));
}

function multiply(re: Float64Array, im: Float64Array, by: Complex): void {
  for (let j = 0; j < by.re.length; j++) {
    const [a, b, c, d] = [re[j] as number, im[j] as number, by.re[j] as number, by.im[j] as number];
    re[j] = a * c - b * d;
    im[j] = a * d + b * c;
  }
}

interface Complex {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

function normalSpectrum(length: number, mean: number, variance: number): Complex {
  const re = new Float64Array(length / 2 + 1);
  const im = new Float64Array(length / 2 + 1);
  for (let j = 0; j < re.length; j++) {
    const angle = (2 * Math.PI * j) / length;
    const size = Math.exp((-angle * angle * variance) / 2);
    re[j] = size * Math.cos(angle * mean);
    im[j] = size * Math.sin(angle * mean);
  }
  return { re, im };
}

/** The characteristic function of what the chosen rows of a part add. */
function spectrum(part: Part, big: readonly number[], jumps: readonly number[], turns: Turns): Complex {
  const rows = isDealt(part) ? part.rows : part.expected;
  const change = changes(rows, big, jumps, turns);
  if (isDealt(part)) return dealtSpectrum(part, sumOf(rows, big), change);
  const mean = sumOf(rows, big);
  return drawnSpectrum(part.trials ?? fittedTrials(part, mean), change);
}

/** Sums of rows times (exp(i angle jump) - 1), for the angles of half a circle. */
function changes(rows: readonly number[], big: readonly number[], jumps: readonly number[], turns: Turns): Complex {
  const length = turns.cos.length;
  const re = new Float64Array(length / 2 + 1);
  const im = new Float64Array(length / 2 + 1);
  for (const i of big) {
    const number = rows[i] as number;
    const turn = (((jumps[i] as number) % length) + length) % length;
    for (let j = 0, at = 0; j < re.length; j++) {
      re[j] = (re[j] as number) + number * ((turns.cos[at] as number) - 1);
      im[j] = (im[j] as number) + number * (turns.sin[at] as number);
      at += turn;
      if (at >= length) at -= length;
    }
  }
  return { re, im };
}

function fittedTrials(part: Drawn, mean: number): number {
  const all = part.expected.reduce((sum, n) => sum + n, 0);
  const gap = part.gap * (mean / Math.max(all, 1e-300)) ** 2;
  if (gap <= 1e-12 * mean) return Number.POSITIVE_INFINITY;
  return Math.ceil(Math.max((mean * mean) / gap, mean) * (1 - 1e-9));
}

function drawnSpectrum(trials: number, change: Complex): Complex {
  const { re, im } = change;
  for (let j = 0; j < re.length; j++) {
    let size: number;
    let angle: number;
    if (trials === Number.POSITIVE_INFINITY) {
      size = Math.exp(re[j] as number);
      angle = im[j] as number;
    } else {
      const a = 1 + (re[j] as number) / trials;
      const b = (im[j] as number) / trials;
      size = Math.hypot(a, b) ** trials;
      angle = Math.atan2(b, a) * trials;
    }
    re[j] = size * Math.cos(angle);
    im[j] = size * Math.sin(angle);
  }
  return change;
}

function dealtSpectrum({ size, taken }: Dealt, count: number, change: Complex): Complex {
  const { first, masses } = hypergeometric(count, taken, size);
  const { re, im } = change;
  for (let j = 0; j < re.length; j++) {
    const a = 1 + (re[j] as number) / count;
    const b = (im[j] as number) / count;
    let x = 0;
    let y = 0;
    for (let h = masses.length - 1 + first; h >= 0; h--) {
      const next = x * a - y * b + (h >= first ? (masses[h - first] as number) : 0);
      y = x * b + y * a;
      x = next;
    }
    re[j] = x;
    im[j] = y;
  }
  return change;
}

/** P(h of `given` marked positions are among the `taken` of `length`), from the smallest h on, by ratios of neighbors. */
function hypergeometric(given: number, taken: number, length: number): { first: number; masses: number[] } {
  const first = Math.max(taken - (length - given), 0);
  const last = Math.min(given, taken);
  const logs = [0];
  for (let h = first; h < last; h++) {
    const ratio = ((given - h) * (taken - h)) / ((h + 1) * (length - given - taken + h + 1));
    logs.push((logs[h - first] as number) + Math.log(ratio));
  }
  const largest = Math.max(...logs);
  const masses = logs.map((log) => Math.exp(log - largest));
  const total = masses.reduce((sum, mass) => sum + mass, 0);
  return { first, masses: masses.map((mass) => mass / total) };
}

function quantiles(masses: Float64Array): [number, number] {
  const total = masses.reduce((sum, mass) => sum + mass, 0);
  let reached = 0;
  let low = -1;
  for (let k = 0; k < masses.length; k++) {
    reached += (masses[k] as number) / total;
    if (low < 0 && reached >= TAIL - TIE) low = k;
    if (reached >= 1 - TAIL - TIE) return [low, k];
  }
  return [low, masses.length - 1];
}
