// A sample's class labels as chips, and the edits a chip stands for. Labels and boxes that come in pairs stay in pairs.
import { type Box, flatBoxes, type Size } from "./box-geometry.ts";

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
}

/** Annotations after an edit; `sources`: for each object its place before the edit, -1 for a new one. */
export interface Edited extends Annotations {
  sources: number[];
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

export function fromBoxes(boxes: readonly Box[], labels: readonly number[], paired: boolean): Edited {
  const own = paired && boxes.every((box) => box.label !== null);
  return {
    labels: own ? boxes.map((box) => box.label ?? 0) : [...labels],
    boxes: flatBoxes(boxes),
    sources: boxes.map((box) => box.source ?? NEW),
  };
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
  const moved = movedBoxes(before, after);
  if (moved > 0) words.push(moved === 1 ? "box moved" : `${moved} boxes moved`);
  return words.join(", ");
}

function movedBoxes(before: Annotations, after: Annotations): number {
  if (before.boxes.length !== after.boxes.length) return 0;
  const count = before.boxes.length / 4;
  let moved = 0;
  for (let i = 0; i < count; i++) {
    if ([0, 1, 2, 3].some((k) => Math.abs((before.boxes[4 * i + k] ?? 0) - (after.boxes[4 * i + k] ?? 0)) > 0.5))
      moved++;
  }
  return moved;
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
