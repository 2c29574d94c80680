// Outlines and keypoints of objects, and masks of images, as they come from the kernel: pixels of the full image. No DOM.
// Layout of a buffer (penstock/widgets/shapes/_packed.py): the image's longest side in the buffer's steps; then for each
// shape its kind, object or -1, class or -1, number of points, and the points.

export interface ObjectShape {
  /** What can be edited: x, y, x, y, ... of each polygon. */
  polygons: number[][];
  /** Outlines of a run-length encoded mask or of a layer of masks. */
  outlines: number[][];
  /** x, y, visibility of each keypoint: 0 not labeled, 1 hidden, 2 visible. */
  points: number[] | null;
}

export interface Shapes {
  objects: Map<number, ObjectShape>;
  masks: { label: number | null; rings: number[][] }[];
}

const [POLYGON, KEYPOINTS, OUTLINE] = [0, 1, 2];

/** Numbers of a buffer; none where there is no such buffer or it is damaged. */
function numbersOf(bytes: DataView | undefined, exact: boolean): Float64Array | Int16Array {
  if (bytes === undefined) return new Int16Array();
  const size = exact ? 8 : 2;
  const copy = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + size * Math.floor(bytes.byteLength / size));
  return exact ? new Float64Array(copy) : new Int16Array(copy);
}

/** `longest`: of the image, pixels; `exact`: float64 of one sample, else int16 of the grid. */
export function readShapes(bytes: DataView | undefined, longest: number, exact: boolean): Shapes {
  const shapes: Shapes = { objects: new Map(), masks: [] };
  const numbers = numbersOf(bytes, exact);
  const step = longest / (numbers[0] || 1);
  for (let at = 1; at + 4 <= numbers.length; ) {
    const [kind, object, label, count] = numbers.subarray(at, at + 4) as unknown as [number, number, number, number];
    const width = kind === KEYPOINTS ? 3 : 2;
    const flat = Array.from(numbers.subarray(at + 4, at + 4 + width * count), (value, i) =>
      width === 3 && i % 3 === 2 ? value : value * step,
    );
    at += 4 + width * count;
    if (object < 0) addMask(shapes, label < 0 ? null : label, flat);
    else addTo(shapeOf(shapes, object), kind, flat);
  }
  return shapes;
}

function shapeOf(shapes: Shapes, object: number): ObjectShape {
  const known = shapes.objects.get(object) ?? { polygons: [], outlines: [], points: null };
  shapes.objects.set(object, known);
  return known;
}

function addTo(shape: ObjectShape, kind: number, flat: number[]): void {
  if (kind === POLYGON) shape.polygons.push(flat);
  else if (kind === OUTLINE) shape.outlines.push(flat);
  else shape.points = flat;
}

function addMask(shapes: Shapes, label: number | null, ring: number[]): void {
  const last = shapes.masks.at(-1);
  if (last?.label === label) last.rings.push(ring);
  else shapes.masks.push({ label, rings: [ring] });
}

/** Which vertex of which polygon, or which keypoint. */
export type Point = { ring: number; at: number } | { keypoint: number };

export interface Place {
  x: number;
  y: number;
}

export const LEAST_VERTICES = 3;
const rounded = (value: number): number => Math.round(value * 100) / 100;

export function pointPlace(shape: ObjectShape, point: Point): Place | null {
  const [flat, at] =
    "ring" in point ? [shape.polygons[point.ring], 2 * point.at] : [shape.points ?? undefined, 3 * point.keypoint];
  const [x, y] = [flat?.[at], flat?.[at + 1]];
  return x === undefined || y === undefined ? null : { x, y };
}

/** The shape with one of its points elsewhere. A keypoint that was not labeled is visible then. */
export function withPointAt(shape: ObjectShape, point: Point, { x, y }: Place): ObjectShape {
  if ("ring" in point) {
    const polygons = shape.polygons.map((flat, i) => (i === point.ring ? withVertexAt(flat, point.at, x, y) : flat));
    return { ...shape, polygons };
  }
  const points = shape.points ?? [];
  const seen = points[3 * point.keypoint + 2] || 2;
  return { ...shape, points: spliced(points, 3 * point.keypoint, 3, [rounded(x), rounded(y), seen]) };
}

/** Where a polygon ends where it begins, both ends go along. */
function withVertexAt(flat: readonly number[], at: number, x: number, y: number): number[] {
  const last = flat.length / 2 - 1;
  const closed = flat[0] === flat[2 * last] && flat[1] === flat[2 * last + 1];
  const put = [rounded(x), rounded(y)];
  const moved = spliced(flat, 2 * at, 2, put);
  if (!closed || (at !== 0 && at !== last)) return moved;
  return spliced(moved, 2 * (last - at), 2, put);
}

/** The shape with a vertex on the edge that begins at vertex `at`, in its middle unless said where. */
export function withVertexAfter(shape: ObjectShape, ring: number, at: number, place?: Place): ObjectShape {
  const { x, y } = place ?? middleOf(shape.polygons[ring] ?? [], at);
  const polygons = shape.polygons.map((flat, i) =>
    i === ring ? spliced(flat, 2 * at + 2, 0, [rounded(x), rounded(y)]) : flat,
  );
  return { ...shape, polygons };
}

/** The shape without a vertex; null where its polygon would have fewer than three. */
export function withoutVertex(shape: ObjectShape, ring: number, at: number): ObjectShape | null {
  if ((shape.polygons[ring]?.length ?? 0) / 2 <= LEAST_VERTICES) return null;
  return { ...shape, polygons: shape.polygons.map((flat, i) => (i === ring ? spliced(flat, 2 * at, 2, []) : flat)) };
}

/** The shape with a keypoint one step down: visible, hidden, not labeled, and around. One without a place gets `place`. */
export function withVisibilityStepped(shape: ObjectShape, keypoint: number, place: Place): ObjectShape {
  const points = shape.points ?? [];
  const [x = 0, y = 0, seen = 0] = points.slice(3 * keypoint, 3 * keypoint + 3);
  const at = seen === 0 && x === 0 && y === 0 ? place : { x, y };
  return {
    ...shape,
    points: spliced(points, 3 * keypoint, 3, [rounded(at.x), rounded(at.y), (seen + 2) % 3]),
  };
}

function spliced(flat: readonly number[], at: number, count: number, put: number[]): number[] {
  return [...flat.slice(0, at), ...put, ...flat.slice(at + count)];
}

export function movedShape(shape: ObjectShape, dx: number, dy: number): ObjectShape {
  const moved = (flat: readonly number[]) => flat.map((value, i) => value + (i % 2 === 0 ? dx : dy));
  const points = shape.points?.map((value, i, all) => {
    const labeled = all[i - (i % 3) + 2] !== 0;
    return i % 3 === 2 || !labeled ? value : value + (i % 3 === 0 ? dx : dy);
  });
  return { polygons: shape.polygons.map(moved), outlines: shape.outlines, points: points ?? null };
}

export function middleOf(flat: readonly number[], at: number): Place {
  const next = (2 * at + 2) % flat.length;
  return {
    x: ((flat[2 * at] ?? 0) + (flat[next] ?? 0)) / 2,
    y: ((flat[2 * at + 1] ?? 0) + (flat[next + 1] ?? 0)) / 2,
  };
}

/** The box around polygons: that of COCO. */
export function enclosing(polygons: readonly number[][]): { x: number; y: number; width: number; height: number } {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const ring of polygons) {
    for (let i = 0; i + 1 < ring.length; i += 2) {
      left = Math.min(left, ring[i] as number);
      right = Math.max(right, ring[i] as number);
      top = Math.min(top, ring[i + 1] as number);
      bottom = Math.max(bottom, ring[i + 1] as number);
    }
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** The edge next to a place, at most `reach` away, and the place on it. */
export function edgeAt(
  polygons: readonly number[][],
  { x, y }: Place,
  reach: number,
): { ring: number; at: number; place: Place } | null {
  let found: { ring: number; at: number; place: Place } | null = null;
  let least = reach;
  polygons.forEach((flat, ring) => {
    for (let at = 0; 2 * at < flat.length; at++) {
      const next = (2 * at + 2) % flat.length;
      const [ax = 0, ay = 0, bx = 0, by = 0] = [flat[2 * at], flat[2 * at + 1], flat[next], flat[next + 1]];
      const length = (bx - ax) ** 2 + (by - ay) ** 2;
      const share = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length));
      const place = { x: ax + share * (bx - ax), y: ay + share * (by - ay) };
      const away = Math.hypot(place.x - x, place.y - y);
      if (away <= least) {
        least = away;
        found = { ring, at, place };
      }
    }
  });
  return found;
}

/** All points of a shape in the order the keys walk them: vertices, then keypoints. */
export function pointsOf(shape: ObjectShape): Point[] {
  return [
    ...shape.polygons.flatMap((flat, ring) => Array.from({ length: flat.length / 2 }, (_, at) => ({ ring, at }))),
    ...Array.from({ length: (shape.points?.length ?? 0) / 3 }, (_, keypoint) => ({ keypoint })),
  ];
}

/** The first point of the next polygon, or of the keypoints, or of the first polygon again. */
export function nextPart(shape: ObjectShape, point: Point): Point | undefined {
  const firsts = pointsOf(shape).filter((one) => ("ring" in one ? one.at : one.keypoint) === 0);
  const now = firsts.findIndex((one) =>
    "ring" in point ? "ring" in one && one.ring === point.ring : "keypoint" in one,
  );
  return firsts[(now + 1) % firsts.length];
}

export function samePoint(one: Point | null, other: Point): boolean {
  return one !== null && JSON.stringify(one) === JSON.stringify(other);
}

/** SVG path of closed rings; a function puts points into the picture. */
export function ringPath(rings: readonly number[][], put: (x: number, y: number) => string): string {
  return rings
    .map((flat) => {
      let d = "";
      for (let i = 0; i + 1 < flat.length; i += 2)
        d += (i === 0 ? "M" : "L") + put(flat[i] as number, flat[i + 1] as number);
      return `${d}Z`;
    })
    .join("");
}
