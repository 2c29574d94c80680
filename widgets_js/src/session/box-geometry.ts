// Boxes in pixels of the full image, and the view that pans and zooms over it. No DOM.

import { enclosing, movedShape, type ObjectShape } from "./shapes.ts";

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
  label: number | null;
  /** Its place in the sample before the edit; none: it is new. */
  source?: number;
  /** Its outline and keypoints. */
  shape?: ObjectShape;
}

/** A box whose shape was edited: it follows its polygons. */
export function withShape(box: Box, shape: ObjectShape): Box {
  return { ...box, ...(shape.polygons === box.shape?.polygons ? {} : enclosing(shape.polygons)), shape };
}

export interface OverlayBox {
  x: number;
  y: number;
  width: number;
  height: number;
  label: number | null;
}

/** The sample's boxes with their classes; where labels are not one a box, boxes are neutral. */
export function overlayBoxes(boxes: readonly number[], labels: readonly number[]): OverlayBox[] {
  const count = Math.floor(boxes.length / 4);
  const paired = labels.length === count;
  return Array.from({ length: count }, (_, i) => ({
    x: boxes[4 * i] ?? 0,
    y: boxes[4 * i + 1] ?? 0,
    width: boxes[4 * i + 2] ?? 0,
    height: boxes[4 * i + 3] ?? 0,
    label: paired ? (labels[i] ?? null) : null,
  }));
}

export type Handle = "move" | "n" | "s" | "e" | "w" | "nw" | "ne" | "sw" | "se";
export const HANDLES: readonly Exclude<Handle, "move">[] = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];
export const MIN_SIDE = 1;

export interface Size {
  width: number;
  height: number;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), Math.max(low, high));
}

/** A box dragged by (dx, dy) at one of its handles; it stays inside the image and never turns over. */
export function dragBox(box: Box, handle: Handle, dx: number, dy: number, image: Size): Box {
  if (handle === "move") {
    const x = clamp(box.x + dx, 0, image.width - box.width);
    const y = clamp(box.y + dy, 0, image.height - box.height);
    const shape = box.shape && { shape: movedShape(box.shape, x - box.x, y - box.y) };
    return { ...box, x, y, ...shape };
  }
  let left = box.x;
  let top = box.y;
  let right = box.x + box.width;
  let bottom = box.y + box.height;
  if (handle.includes("w")) left = clamp(left + dx, 0, right - MIN_SIDE);
  if (handle.includes("e")) right = clamp(right + dx, left + MIN_SIDE, image.width);
  if (handle.includes("n")) top = clamp(top + dy, 0, bottom - MIN_SIDE);
  if (handle.includes("s")) bottom = clamp(bottom + dy, top + MIN_SIDE, image.height);
  return { ...box, x: left, y: top, width: right - left, height: bottom - top };
}

/** The box between two points, cut to the image; null when it is only a click. */
export function boxBetween(
  ax: number,
  ay: number,
  bx: number,
  by: number,
  image: Size,
  label: number | null,
): Box | null {
  const left = clamp(Math.min(ax, bx), 0, image.width);
  const top = clamp(Math.min(ay, by), 0, image.height);
  const right = clamp(Math.max(ax, bx), 0, image.width);
  const bottom = clamp(Math.max(ay, by), 0, image.height);
  if (right - left < 2 || bottom - top < 2) return null;
  return { x: left, y: top, width: right - left, height: bottom - top, label };
}

/** Keys of jupyter-bbox-widget: W A S D move, Q E narrow and widen, R F heighten and flatten. */
export function keyBox(key: string, box: Box, step: number, image: Size): Box | null {
  const moves: Record<string, [Handle, number, number]> = {
    w: ["move", 0, -1],
    a: ["move", -1, 0],
    s: ["move", 0, 1],
    d: ["move", 1, 0],
    q: ["e", -1, 0],
    e: ["e", 1, 0],
    r: ["s", 0, 1],
    f: ["s", 0, -1],
  };
  const move = moves[key.toLowerCase()];
  return move === undefined ? null : dragBox(box, move[0], move[1] * step, move[2] * step, image);
}

/** The topmost box at a point: the smallest, so that a box inside another can be reached. */
export function boxAt(boxes: readonly Box[], x: number, y: number, slack: number): number | null {
  let found: number | null = null;
  let area = Number.POSITIVE_INFINITY;
  boxes.forEach((box, i) => {
    const inside =
      x >= box.x - slack && x <= box.x + box.width + slack && y >= box.y - slack && y <= box.y + box.height + slack;
    if (inside && box.width * box.height < area) {
      found = i;
      area = box.width * box.height;
    }
  });
  return found;
}

/** `zoom` is screen pixels per image pixel; (x, y) is the image point at the stage's top left corner. */
export interface View {
  zoom: number;
  x: number;
  y: number;
}

export const MAX_ZOOM = 32;

export function fitView(stage: Size, image: Size): View {
  const zoom = Math.min(stage.width / image.width, stage.height / image.height) || 1;
  return centered({ zoom, x: 0, y: 0 }, stage, image);
}

/** Zoom by a factor around a point of the stage, which keeps its place in the image. */
export function zoomAt(view: View, factor: number, px: number, py: number, stage: Size, image: Size): View {
  const least = fitView(stage, image).zoom;
  const zoom = clamp(view.zoom * factor, least, Math.max(MAX_ZOOM, least));
  return centered(
    { zoom, x: view.x + px / view.zoom - px / zoom, y: view.y + py / view.zoom - py / zoom },
    stage,
    image,
  );
}

/** Pixel for pixel, around the middle of what is in view. */
export function actualSize(view: View, stage: Size, image: Size): View {
  const x = view.x + stage.width / view.zoom / 2 - stage.width / 2;
  const y = view.y + stage.height / view.zoom / 2 - stage.height / 2;
  return centered({ zoom: 1, x, y }, stage, image);
}

/** A box in the middle, over two thirds of the stage. */
export function zoomToBox(box: Pick<Box, "x" | "y" | "width" | "height">, stage: Size, image: Size): View {
  const fit = fitView(stage, image).zoom;
  const wanted = Math.min(stage.width / Math.max(1, box.width), stage.height / Math.max(1, box.height)) * 0.66;
  const zoom = clamp(wanted, fit, Math.max(MAX_ZOOM, fit));
  const x = box.x + box.width / 2 - stage.width / zoom / 2;
  const y = box.y + box.height / 2 - stage.height / zoom / 2;
  return centered({ zoom, x, y }, stage, image);
}

export function isFit(view: View, stage: Size, image: Size): boolean {
  return Math.abs(view.zoom / fitView(stage, image).zoom - 1) < 0.005;
}

export function panBy(view: View, dx: number, dy: number, stage: Size, image: Size): View {
  return centered({ ...view, x: view.x - dx / view.zoom, y: view.y - dy / view.zoom }, stage, image);
}

/** Center what is smaller than the stage and keep the rest from leaving it. */
function centered(view: View, stage: Size, image: Size): View {
  const along = (start: number, room: number, length: number): number =>
    room >= length ? (length - room) / 2 : clamp(start, 0, length - room);
  return {
    zoom: view.zoom,
    x: along(view.x, stage.width / view.zoom, image.width),
    y: along(view.y, stage.height / view.zoom, image.height),
  };
}

/** The part of the image in view, whole pixels, and the scale at which its message stays under `limit` pixels. */
export function visibleRegion(
  view: View,
  stage: Size,
  image: Size,
  limit = 4e6,
): { x: number; y: number; width: number; height: number; scale: number } {
  const x = Math.floor(clamp(view.x, 0, image.width));
  const y = Math.floor(clamp(view.y, 0, image.height));
  const width = Math.ceil(clamp(view.x + stage.width / view.zoom, 0, image.width)) - x;
  const height = Math.ceil(clamp(view.y + stage.height / view.zoom, 0, image.height)) - y;
  const scale = Math.min(1, view.zoom, Math.sqrt(limit / Math.max(1, width * height)));
  return { x, y, width, height, scale };
}

export function flatBoxes(boxes: readonly Box[]): number[] {
  return boxes.flatMap((box) => [box.x, box.y, box.width, box.height].map((value) => Math.round(value * 100) / 100));
}

/** Which boxes carry their name: big ones first, and none whose name would lie over another's. Screen pixels. */
export function namedBoxes(
  boxes: readonly { x: number; y: number; width: number; height: number; name: string | null }[],
  selected: number | null,
  from: number,
): Set<number> {
  const order = boxes
    .map((_, i) => i)
    .filter((i) => {
      const box = boxes[i];
      return box !== undefined && box.name !== null && (i === selected || Math.min(box.width, box.height) >= from);
    })
    .sort((a, b) => Number(b === selected) - Number(a === selected) || area(boxes[b]) - area(boxes[a]));
  const taken: { x: number; y: number; right: number; bottom: number }[] = [];
  return new Set(
    order.filter((i) => {
      const box = boxes[i];
      if (box === undefined) return false;
      const { x, y } = nameAt(box);
      const own = { x, y: y - 12, right: x + 7 * (box.name?.length ?? 0), bottom: y + 3 };
      const free = taken.every(
        (one) => own.x > one.right || own.right < one.x || own.y > one.bottom || own.bottom < one.y,
      );
      if (free) taken.push(own);
      return free;
    }),
  );
}

function area(box: { width: number; height: number } | undefined): number {
  return box === undefined ? 0 : box.width * box.height;
}

/** Baseline of a box's name: above it, or inside where there is no room above. */
export function nameAt(box: { x: number; y: number }): { x: number; y: number } {
  return { x: Math.max(2, box.x + 3), y: box.y >= 17 ? box.y - 5 : Math.max(0, box.y) + 14 };
}
