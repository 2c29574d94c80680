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

export function isPaired({ labels, boxes }: Annotations): boolean {
  return boxes.length > 0 && labels.length * 4 === boxes.length;
}

/** Take a class off the sample, with its boxes where each label has one. */
export function withoutClass(now: Annotations, label: number): Annotations {
  const paired = isPaired(now);
  return {
    labels: now.labels.filter((one) => one !== label),
    boxes: paired ? now.boxes.filter((_, i) => now.labels[Math.floor(i / 4)] !== label) : now.boxes,
  };
}

/** Put a class on the sample; where boxes and labels are pairs it comes with a box in the middle, to be moved. */
export function withClass(now: Annotations, label: number, image: Size, boxed: boolean): Annotations {
  const pairs = boxed && now.labels.length * 4 === now.boxes.length;
  const middle = [image.width / 4, image.height / 4, image.width / 2, image.height / 2].map(Math.round);
  return { labels: [...now.labels, label], boxes: pairs ? [...now.boxes, ...middle] : now.boxes };
}

export function fromBoxes(boxes: readonly Box[], labels: readonly number[]): Annotations {
  const paired = boxes.every((box) => box.label !== null);
  return { labels: paired ? boxes.map((box) => box.label ?? 0) : [...labels], boxes: flatBoxes(boxes) };
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
