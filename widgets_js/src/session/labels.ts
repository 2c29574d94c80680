// A sample's class labels as chips, and the edits a chip stands for. Labels and boxes that come in pairs stay in pairs.
import { type Box, flatBoxes, type Size } from "./box-geometry.ts";
import type { EditedShape } from "./protocol.ts";
import type { ObjectShape, Shapes } from "./shapes.ts";

export interface Chip {
  label: number;
  count: number;
}

/** One chip a class, in order of first appearance. */
export function chips(labels: readonly number[]): Chip[] {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return Array.from(counts, ([label, count]) => ({ label, count }));
}

export interface Annotations {
  labels: number[];
  boxes: number[];
  drawn?: Shapes;
}

/** Annotations after an edit; `sources`: for each object its place before the edit, -1 for a new one; `shapes`: those edited. */
export interface Edited {
  labels: number[];
  boxes: number[];
  sources: number[];
  shapes?: EditedShape[];
}

/** Whether each label of the sample has its box; `paired`: whether they do in this dataset. */
export function isPaired({ labels, boxes }: Annotations, paired: boolean): boolean {
  return paired && labels.length * 4 === boxes.length;
}

const NEW = -1;
const places = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Objects of a sample: its boxes with their labels, else its boxes, else its labels. */
function objectsOf(now: Annotations, paired: boolean): number[] {
  const boxes = now.boxes.length / 4;
  return places(isPaired(now, paired) || boxes === 0 ? now.labels.length : boxes);
}

/** Take a class off the sample, with its boxes where each label has one. */
export function withoutClass(now: Annotations, label: number, paired: boolean): Edited {
  const labels = now.labels.filter((one) => one !== label);
  const all = objectsOf(now, paired);
  if (!isPaired(now, paired))
    return { labels, boxes: now.boxes, sources: now.boxes.length > 0 ? all : kept(now, label) };
  const boxes = now.boxes.filter((_, i) => now.labels[Math.floor(i / 4)] !== label);
  return { labels, boxes, sources: kept(now, label) };
}

function kept(now: Annotations, label: number): number[] {
  return places(now.labels.length).filter((i) => now.labels[i] !== label);
}

/** Put a class on the sample; where boxes and labels are pairs it comes with a box in the middle, to be moved. */
export function withClass(now: Annotations, label: number, image: Size, paired: boolean): Edited {
  const all = objectsOf(now, paired);
  const labels = [...now.labels, label];
  if (!isPaired(now, paired)) return { labels, boxes: now.boxes, sources: now.boxes.length > 0 ? all : [...all, NEW] };
  const middle = [image.width / 4, image.height / 4, image.width / 2, image.height / 2].map(Math.round);
  return { labels, boxes: [...now.boxes, ...middle], sources: [...all, NEW] };
}

/** Another class for one object. */
export function withOther(now: Annotations, index: number, label: number, paired: boolean): Edited {
  const labels = now.labels.map((one, i) => (i === index ? label : one));
  return { labels, boxes: now.boxes, sources: objectsOf(now, paired) };
}

/** Another class for every object of one; where labels are a list, it is there once. */
export function withReplaced(now: Annotations, from: number, label: number, paired: boolean): Edited {
  const all = objectsOf(now, paired);
  const labels = now.labels.map((one) => (one === from ? label : one));
  if (isPaired(now, paired) || now.boxes.length > 0) return { labels, boxes: now.boxes, sources: all };
  const first = labels.map((one, i) => labels.indexOf(one) === i);
  return { labels: labels.filter((_, i) => first[i]), boxes: now.boxes, sources: all.filter((i) => first[i]) };
}

/** The one class of an image, in place of what it had. */
export function withLabel(now: Annotations, label: number): Edited {
  const boxes = now.boxes.length / 4;
  const sources = boxes > 0 ? places(boxes) : [now.labels.length > 0 ? 0 : NEW];
  return { labels: [label], boxes: now.boxes, sources };
}

/** Take one box away, with its label where it has one. */
export function withoutBox(now: Annotations, index: number, paired: boolean): Edited {
  const boxes = now.boxes.filter((_, i) => Math.floor(i / 4) !== index);
  const labels = isPaired(now, paired) ? now.labels.filter((_, i) => i !== index) : now.labels;
  return { labels, boxes, sources: places(now.boxes.length / 4).filter((i) => i !== index) };
}

export function fromBoxes(
  boxes: readonly Box[],
  labels: readonly number[],
  paired: boolean,
  drawn: Shapes | null = null,
): Edited {
  const own = paired && boxes.every((box) => box.label !== null);
  const shapes = boxes.flatMap((box, object) => editedShape(box, object, drawn));
  return {
    ...(shapes.length > 0 ? { shapes } : {}),
    labels: own ? boxes.map((box) => box.label ?? 0) : [...labels],
    boxes: flatBoxes(boxes),
    sources: boxes.map((box) => box.source ?? NEW),
  };
}

/** What is sent of a shape that differs from the one that was shown; nothing where it does not. */
function editedShape({ shape, source }: Box, object: number, drawn: Shapes | null): EditedShape[] {
  const was = source === undefined ? undefined : drawn?.objects.get(source);
  if (shape === undefined || shape === was) return [];
  const polygons = shape.polygons !== was?.polygons && shape.polygons.length > 0 ? { polygons: shape.polygons } : {};
  const keypoints = shape.points !== (was?.points ?? null) && shape.points ? { keypoints: shape.points } : {};
  return [{ object, ...polygons, ...keypoints }].filter((one) => one.polygons ?? one.keypoints);
}

/** What changed, in words: "Ring → Cross", "+ Star", "− Circle", "2 boxes moved". */
export function describeChange(before: Annotations, after: Annotations, names: readonly string[]): string {
  const name = (label: number | undefined): string => names[label ?? -1] ?? `class ${label}`;
  if (!isPaired(before, true) || !isPaired(after, true))
    return [...labelWords(before.labels, after.labels, name), ...movedWords(before, after)].join(", ");
  const { pairs, gone, fresh } = matched(before, after);
  const [had, has] = [pairs.map(([i]) => i), pairs.map(([, j]) => j)];
  return [
    ...pairs
      .filter(([i, j]) => before.labels[i] !== after.labels[j])
      .map(([i, j]) => `${name(before.labels[i])} → ${name(after.labels[j])}`),
    ...fresh.map((j) => `+ ${name(after.labels[j])}`),
    ...gone.map((i) => `− ${name(before.labels[i])}`),
    ...movedWords(only(before, had), only(after, has)),
  ].join(", ");
}

function labelWords(before: readonly number[], after: readonly number[], name: (label: number) => string): string[] {
  const left = [...after];
  const gone = before.filter((label) => {
    const at = left.indexOf(label);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  const words: string[] = [];
  while (gone.length > 0 && left.length > 0)
    words.push(`${name(gone.shift() as number)} → ${name(left.shift() as number)}`);
  return [...words, ...left.map((label) => `+ ${name(label)}`), ...gone.map((label) => `− ${name(label)}`)];
}

interface Matches {
  pairs: [number, number][];
  gone: number[];
  fresh: number[];
}

/** Which object of a sample is which after edits: first those that are equal in most, then those that overlap. */
function matched(before: Annotations, after: Annotations): Matches {
  const found: Matches = { pairs: [], gone: places(before.labels.length), fresh: places(after.labels.length) };
  const shape = (of: Annotations, i: number): string => JSON.stringify(of.drawn?.objects.get(i) ?? null);
  const label = (of: Annotations, i: number): string => String(of.labels[i]);
  const box = (of: Annotations, i: number): string => of.boxes.slice(4 * i, 4 * i + 4).join();
  for (const parts of [[label, box, shape], [label, box], [box], [label, shape]])
    joinEqual(found, (of, i) => parts.map((part) => part(of === "before" ? before : after, i)).join("|"));
  joinBest(found, (i, j) => overlap(before.boxes.slice(4 * i, 4 * i + 4), after.boxes.slice(4 * j, 4 * j + 4)));
  const kind = (of: Annotations, i: number): string => `${label(of, i)} ${of.drawn?.objects.has(i) ?? false}`;
  joinEqual(found, (of, i) => kind(of === "before" ? before : after, i)); // moved far
  found.pairs.sort(([, one], [, other]) => one - other);
  return found;
}

function joinEqual(found: Matches, key: (of: "before" | "after", i: number) => string): void {
  if (found.gone.length === 0 || found.fresh.length === 0) return;
  const waiting = new Map<string, number[]>();
  for (const i of found.gone) waiting.set(key("before", i), [...(waiting.get(key("before", i)) ?? []), i]);
  for (const j of [...found.fresh]) {
    const i = waiting.get(key("after", j))?.shift();
    if (i !== undefined) join(found, i, j);
  }
}

function joinBest(found: Matches, shared: (i: number, j: number) => number): void {
  const all = found.gone.flatMap((i) => found.fresh.map((j) => [shared(i, j), i, j] as const));
  for (const [by, i, j] of all.filter(([by]) => by > 0).sort(([one], [other]) => other - one))
    if (by > 0 && found.gone.includes(i) && found.fresh.includes(j)) join(found, i, j);
}

function join(found: Matches, i: number, j: number): void {
  found.pairs.push([i, j]);
  found.gone = found.gone.filter((one) => one !== i);
  found.fresh = found.fresh.filter((one) => one !== j);
}

/** Intersection over union of two boxes. */
function overlap([x = 0, y = 0, w = 0, h = 0]: number[], [u = 0, v = 0, a = 0, b = 0]: number[]): number {
  const shared =
    Math.max(0, Math.min(x + w, u + a) - Math.max(x, u)) * Math.max(0, Math.min(y + h, v + b) - Math.max(y, v));
  return shared === 0 ? 0 : shared / (w * h + a * b - shared);
}

function only(of: Annotations, chosen: readonly number[]): Annotations {
  const objects = chosen.flatMap((i, at) => {
    const shape = of.drawn?.objects.get(i);
    return shape === undefined ? [] : [[at, shape] as const];
  });
  return {
    labels: chosen.map((i) => of.labels[i] ?? -1),
    boxes: chosen.flatMap((i) => of.boxes.slice(4 * i, 4 * i + 4)),
    drawn: { masks: [], objects: new Map(objects) },
  };
}

const counted = (count: number, one: string, many: string, done: string): string[] =>
  count === 0 ? [] : [`${count === 1 ? one : `${count} ${many}`} ${done}`];

/** Objects are the same ones where there are as many: "box moved", "2 vertices moved", "keypoint hidden". */
function movedWords(before: Annotations, after: Annotations): string[] {
  if (before.boxes.length !== after.boxes.length) return [];
  let moved = 0;
  const points: Record<Change, number> = { vertex: 0, added: 0, removed: 0, keypoint: 0, visibility: 0 };
  for (let i = 0; i < before.boxes.length / 4; i++) {
    const change = shapeChange(before.drawn?.objects.get(i), after.drawn?.objects.get(i));
    for (const name of Object.keys(change) as Change[]) points[name] += change[name] ?? 0;
    const outlined = change.vertex ?? change.added ?? change.removed;
    const box = [0, 1, 2, 3].map((k) => Math.abs((before.boxes[4 * i + k] ?? 0) - (after.boxes[4 * i + k] ?? 0)));
    if (outlined === undefined && box.some((by) => by > 0.5)) moved++;
  }
  return [
    ...counted(moved, "box", "boxes", "moved"),
    ...counted(points.vertex, "vertex", "vertices", "moved"),
    ...counted(points.added, "vertex", "vertices", "added"),
    ...counted(points.removed, "vertex", "vertices", "removed"),
    ...counted(points.keypoint, "keypoint", "keypoints", "moved"),
    ...counted(points.visibility, "visibility of a keypoint", "visibilities of keypoints", "changed"),
  ];
}

type Change = "vertex" | "added" | "removed" | "keypoint" | "visibility";

function shapeChange(before?: ObjectShape, after?: ObjectShape): Partial<Record<Change, number>> {
  if (before === undefined || after === undefined) return {};
  const found: Partial<Record<Change, number>> = {};
  const [was, is] = [before.polygons.flat(), after.polygons.flat()];
  const grown = (is.length - was.length) / 2;
  if (grown > 0) found.added = grown;
  else if (grown < 0) found.removed = -grown;
  else {
    const away = movedPoints(was, is, 2);
    if (away.length > 0 && !sameWay(was, is)) found.vertex = away.length;
  }
  const [had, has] = [before.points ?? [], after.points ?? []];
  const whole = found.vertex === undefined && grown === 0 && was.length > 0 && movedPoints(was, is, 2).length > 0;
  const keypoints = had.length === has.length ? movedPoints(had, has, 3) : [];
  if (keypoints.length > 0 && !whole) found.keypoint = keypoints.length;
  const seen = has.filter((value, i) => i % 3 === 2 && value !== had[i]).length;
  if (seen > 0) found.visibility = seen;
  return found;
}

function movedPoints(was: readonly number[], is: readonly number[], width: number): number[] {
  const places = Array.from({ length: was.length / width }, (_, i) => width * i);
  return places.filter((i) => was[i] !== is[i] || was[i + 1] !== is[i + 1]);
}

/** Every point went the same way: the whole was moved, not its vertices. */
function sameWay(was: readonly number[], is: readonly number[]): boolean {
  const by = [(is[0] ?? 0) - (was[0] ?? 0), (is[1] ?? 0) - (was[1] ?? 0)];
  return was.every((value, i) => Math.abs((is[i] ?? 0) - value - (by[i % 2] ?? 0)) < 0.03);
}

/** Classes whose name has the words typed, best first: those that begin with them. */
export function searchClasses(names: readonly string[], typed: string, limit: number): number[] {
  const words = typed.trim().toLowerCase();
  const found = names
    .map((name, index) => ({ index, at: name.toLowerCase().indexOf(words) }))
    .filter(({ at }) => at >= 0);
  if (words !== "") found.sort((a, b) => Math.min(a.at, 1) - Math.min(b.at, 1));
  return found.slice(0, limit).map(({ index }) => index);
}
