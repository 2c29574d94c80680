// Boxes, outlines and keypoints over a thumbnail, in its own pixels: class color with a white halo, dashes by class number.
// On a canvas: as elements, hundreds of outlines took longer to lay out than the rest of the page took altogether.
import { type OverlayBox, overlayBoxes } from "../session/box-geometry.ts";
import type { LoadedTile } from "../session/page-cache.ts";
import type { Skeleton } from "../session/protocol.ts";
import type { ObjectShape } from "../session/shapes.ts";
import { classDash } from "../ui/colors.ts";

/** More boxes than this are thin, without halo, and only the largest are drawn. */
export const MANY = 5;
const LARGEST = 8;
const HALO = "#fff";
const FILLED = 0.2; // opacity inside an outline
const FEW_WIDTHS = { halo: 4, line: 2, bone: 1.5, dot: 2 };
const MANY_WIDTHS = { halo: 0, line: 1, bone: 1, dot: 1.5 };

export interface OverlayLook {
  /** Side of the square the image is shown in, CSS pixels. */
  side: number;
  skeletons: Readonly<Record<string, Skeleton>>;
  hidden: ReadonlySet<number>;
  /** The color of a class as the theme has it now. */
  ink: (label: number | null) => string;
}

/** What is drawn of one class; of one class and kind all at once. */
interface Drawing {
  boxes: Path2D;
  /** Boxes around an outline, which says more: thin and without halo. */
  frames: Path2D;
  rings: Path2D;
  bones: Path2D;
  dots: number[];
  hollow: number[];
}

/** From pixels of the image to those of the square. */
interface Frame {
  scale: number;
  left: number;
  top: number;
}

/** Whether anything of the tile is drawn over its image. */
export function isDrawn(tile: LoadedTile): boolean {
  return tile.width > 0 && tile.height > 0 && (tile.boxes.length > 0 || tile.drawn.masks.length > 0);
}

export function drawOverlay(context: CanvasRenderingContext2D, tile: LoadedTile, look: OverlayLook): void {
  const width = tile.boxes.length / 4 > MANY ? MANY_WIDTHS : FEW_WIDTHS;
  context.lineJoin = "round";
  for (const [label, drawing] of drawingsOf(tile, look)) {
    const color = look.ink(label);
    const dash = label === null ? [] : dashOf(label);
    if (width.halo > 0) for (const path of [drawing.boxes, drawing.rings]) stroke(context, path, HALO, width.halo);
    context.globalAlpha = FILLED;
    context.fillStyle = color;
    context.fill(drawing.rings);
    context.globalAlpha = 1;
    stroke(context, drawing.rings, color, width.line, dash);
    stroke(context, drawing.frames, color, 1);
    stroke(context, drawing.boxes, color, width.line, dash);
    stroke(context, drawing.bones, color, width.bone);
    fillDots(context, drawing.dots, color, width.dot);
    fillDots(context, drawing.hollow, HALO, 1);
  }
}

function stroke(
  context: CanvasRenderingContext2D,
  path: Path2D,
  color: string,
  width: number,
  dash: readonly number[] = [],
): void {
  context.strokeStyle = color;
  context.lineWidth = width;
  context.setLineDash([...dash]);
  context.stroke(path);
}

function fillDots(context: CanvasRenderingContext2D, dots: readonly number[], color: string, radius: number): void {
  if (dots.length === 0) return;
  const path = new Path2D();
  for (let i = 0; i < dots.length; i += 2) {
    const [x, y] = [dots[i] as number, dots[i + 1] as number];
    path.moveTo(x + radius, y);
    path.arc(x, y, radius, 0, 2 * Math.PI);
  }
  context.fillStyle = color;
  context.fill(path);
}

function dashOf(label: number): number[] {
  const dash = classDash(label);
  return dash === "none" ? [] : dash.split(" ").map(Number);
}

function drawingsOf(tile: LoadedTile, { side, skeletons, hidden }: OverlayLook): Map<number | null, Drawing> {
  const { width, height, drawn: shapes } = tile;
  const scale = side / Math.min(width, height);
  const frame = { scale, left: (width * scale - side) / 2, top: (height * scale - side) / 2 };
  const found = new Map<number | null, Drawing>();
  const of = (label: number | null): Drawing => {
    const made = found.get(label) ?? noDrawing();
    found.set(label, made);
    return made;
  };
  for (const { label, rings } of shapes.masks) {
    if (label === null || !hidden.has(label)) addRings(of(label).rings, rings, frame);
  }
  const thin = tile.boxes.length / 4 > MANY;
  for (const { box, index } of chosenBoxes(overlayBoxes(tile.boxes, tile.labels), hidden)) {
    const drawing = of(box.label);
    const shape = shapes.objects.get(index);
    const outlined = shape !== undefined && shape.polygons.length + shape.outlines.length > 0;
    addBox(outlined ? drawing.frames : drawing.boxes, box, frame, outlined || thin);
    if (shape !== undefined) addShape(drawing, shape, skeletons[String(box.label)]?.edges ?? [], frame);
  }
  return found;
}

function noDrawing(): Drawing {
  return {
    boxes: new Path2D(),
    frames: new Path2D(),
    rings: new Path2D(),
    bones: new Path2D(),
    dots: [],
    hollow: [],
  };
}

/** The boxes that are drawn, with their places in the sample: of many the largest, large ones first. */
export function chosenBoxes(
  boxes: readonly OverlayBox[],
  hidden: ReadonlySet<number>,
): { box: OverlayBox; index: number }[] {
  const shown = boxes
    .map((box, index) => ({ box, index }))
    .filter(({ box }) => box.label === null || !hidden.has(box.label));
  if (boxes.length <= MANY) return shown;
  const area = ({ box }: { box: OverlayBox }): number => box.width * box.height;
  return shown.sort((a, b) => area(b) - area(a)).slice(0, LARGEST);
}

/** A box on whole pixels; a line of one pixel lies in the middle of one. */
function addBox(path: Path2D, box: OverlayBox, { scale, left, top }: Frame, thin: boolean): void {
  const shift = thin ? 0.5 : 0;
  const x = Math.round(box.x * scale - left);
  const y = Math.round(box.y * scale - top);
  const width = Math.round((box.x + box.width) * scale - left) - x;
  const height = Math.round((box.y + box.height) * scale - top) - y;
  path.rect(x + shift, y + shift, width, height);
}

function addRings(path: Path2D, rings: readonly number[][], { scale, left, top }: Frame): void {
  for (const flat of rings) {
    for (let i = 0; i + 1 < flat.length; i += 2) {
      const [x, y] = [(flat[i] as number) * scale - left, (flat[i + 1] as number) * scale - top];
      if (i === 0) path.moveTo(x, y);
      else path.lineTo(x, y);
    }
    path.closePath();
  }
}

function addShape(drawing: Drawing, shape: ObjectShape, edges: Skeleton["edges"], frame: Frame): void {
  addRings(drawing.rings, shape.polygons, frame);
  addRings(drawing.rings, shape.outlines, frame);
  const { points } = shape;
  if (points === null) return;
  const at = (k: number): [number, number] => [
    (points[3 * k] ?? 0) * frame.scale - frame.left,
    (points[3 * k + 1] ?? 0) * frame.scale - frame.top,
  ];
  for (const [one, other] of edges) {
    if (!points[3 * one + 2] || !points[3 * other + 2]) continue;
    drawing.bones.moveTo(...at(one));
    drawing.bones.lineTo(...at(other));
  }
  for (let k = 0; 3 * k < points.length; k++) {
    const seen = points[3 * k + 2];
    if (seen) drawing.dots.push(...at(k));
    if (seen === 1) drawing.hollow.push(...at(k));
  }
}
