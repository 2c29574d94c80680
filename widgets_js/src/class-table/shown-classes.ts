// Which classes have a bar, and in what order.

export type Sort = "raw" | "sampled" | "moved" | "class";

export const SORTS: readonly { value: Sort; label: string }[] = [
  { value: "raw", label: "frequent" },
  { value: "sampled", label: "sampled" },
  { value: "moved", label: "changed" },
  { value: "class", label: "by class" },
];

const FEW = 30;
const MOST_MOVED = 20;
const MOST_FREQUENT = 8;
const AT_MOST = 200;

export interface ClassBars {
  readonly names: readonly string[];
  readonly classes: readonly number[]; // those that can have a bar
  readonly raw: ArrayLike<number>;
  readonly expected: ArrayLike<number>;
  readonly named: ReadonlySet<number>; // always shown
}

export interface Shown {
  readonly classes: number[];
  readonly hidden: number; // how many classes have no bar
}

/** All of a few classes; of many those named in a clause, the 8 commonest and the 20 most moved, or what a search finds. */
export function shownClasses(bars: ClassBars, view: { sort: Sort; search: string; all: boolean }): Shown {
  const needle = view.search.trim().toLowerCase();
  const order = byOrder(bars, view.sort);
  const candidates = [...bars.classes];
  let classes: number[];
  if (needle !== "") classes = candidates.filter((c) => (bars.names[c] ?? "").toLowerCase().includes(needle));
  else if (view.all || candidates.length <= FEW) classes = candidates;
  else classes = leading(bars, candidates);
  classes = classes.sort(order).slice(0, AT_MOST);
  return { classes, hidden: candidates.length - classes.length };
}

export function isLong(bars: ClassBars): boolean {
  return bars.classes.length > FEW;
}

function leading(bars: ClassBars, candidates: number[]): number[] {
  const usual = median(candidates.filter((c) => at(bars.raw, c) > 0).map((c) => logLift(bars, c)));
  const away = (c: number): number => Math.abs(logLift(bars, c) - usual);
  const frequent = [...candidates].sort((a, b) => at(bars.raw, b) - at(bars.raw, a));
  const moved = [...frequent].sort((a, b) => away(b) - away(a));
  const named = moved.filter((c) => bars.named.has(c)).slice(0, FEW);
  const others = moved.filter((c) => !bars.named.has(c)).slice(0, MOST_MOVED);
  return [...new Set([...named, ...frequent.slice(0, MOST_FREQUENT), ...others])];
}

/** What most classes do: their dilution. */
function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1] ?? 0;
}

function byOrder(bars: ClassBars, sort: Sort): (a: number, b: number) => number {
  if (sort === "class") return (a, b) => a - b;
  if (sort === "raw") return (a, b) => at(bars.raw, b) - at(bars.raw, a) || a - b;
  if (sort === "sampled") return (a, b) => at(bars.expected, b) - at(bars.expected, a) || a - b;
  return (a, b) => logLift(bars, b) - logLift(bars, a) || a - b;
}

/** Log of expected over raw, rounded so that equal lifts tie. */
function logLift(bars: ClassBars, c: number): number {
  const raw = at(bars.raw, c);
  const expected = at(bars.expected, c);
  if (raw === 0) return 0;
  return Math.round(Math.log(Math.max(expected, 1e-9) / raw) * 1e6) / 1e6;
}

function at(values: ArrayLike<number>, c: number): number {
  return values[c] ?? 0;
}
