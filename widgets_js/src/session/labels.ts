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
  const name = (label: number): string => names[label] ?? `class ${label}`;
  const left = [...after.labels];
  const gone = before.labels.filter((label) => {
    const at = left.indexOf(label);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  const words: string[] = [];
  while (gone.length > 0 && left.length > 0)
    words.push(`${name(gone.shift() as number)} → ${name(left.shift() as number)}`);
  words.push(...left.map((label) => `+ ${name(label)}`), ...gone.map((label) => `− ${name(label)}`));
  words.push(...movedWords(before, after));
  return words.join(", ");
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
