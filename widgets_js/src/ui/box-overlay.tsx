// Boxes, outlines and keypoints over a thumbnail, in its own pixels: class color with a white halo, dashes by class number.
// One path for each class and kind, so that a page of hundreds of outlines is drawn at once.
import { useMemo } from "preact/hooks";
import type { LoadedTile } from "../session/page-cache.ts";
import type { Skeleton } from "../session/protocol.ts";
import { ringPath, type Shapes } from "../session/shapes.ts";
import { classColor, classDash } from "./colors.ts";

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

/** More boxes than this are thin, without halo, and only the largest are drawn. */
export const MANY = 5;
const LARGEST = 8;

interface Drawing {
  label: number | null;
  boxes: string;
  /** Boxes around an outline, which says more: thin and without halo. */
  frames: string;
  rings: string;
  bones: string;
  dots: string;
  hollow: string;
}

interface BoxOverlayProps {
  tile: LoadedTile;
  skeletons: Readonly<Record<string, Skeleton>>;
  hidden: ReadonlySet<number>;
  /** Side of the square the image is shown in, CSS pixels. */
  side: number;
}

export function BoxOverlay({ tile, skeletons, hidden, side }: BoxOverlayProps) {
  const many = tile.boxes.length / 4 > MANY;
  const drawings = useMemo(() => drawingsOf(tile, skeletons, hidden, side), [tile, skeletons, hidden, side]);
  if (drawings.length === 0) return null;
  return (
    <svg class={`penstock-overlay${many ? " penstock-many" : ""}`} width={side} height={side} aria-hidden="true">
      {drawings.map(({ label, boxes, frames, rings, bones, dots, hollow }) => {
        const stroke = { stroke: classColor(label) };
        const dash = label === null ? "none" : classDash(label);
        return (
          <g key={label ?? -1} style={stroke}>
            {many ? null : <path class="penstock-halo" d={boxes + rings} />}
            {rings === "" ? null : (
              <path class="penstock-outline" style={{ fill: classColor(label) }} d={rings} stroke-dasharray={dash} />
            )}
            {frames === "" ? null : <path class="penstock-frame" d={frames} />}
            {boxes === "" ? null : <path class="penstock-box" d={boxes} stroke-dasharray={dash} />}
            {bones === "" ? null : <path class="penstock-bones" d={bones} />}
            {dots === "" ? null : <path class="penstock-dots" d={dots} />}
            {hollow === "" ? null : <path class="penstock-hollow" d={hollow} />}
          </g>
        );
      })}
    </svg>
  );
}

function drawingsOf(
  tile: LoadedTile,
  skeletons: Readonly<Record<string, Skeleton>>,
  hidden: ReadonlySet<number>,
  side: number,
): Drawing[] {
  const { width, height, drawn } = tile;
  if (width <= 0 || height <= 0) return [];
  const scale = side / Math.min(width, height);
  const [left, top] = [(width * scale - side) / 2, (height * scale - side) / 2];
  const put = (x: number, y: number): string => `${tenth(x * scale - left)} ${tenth(y * scale - top)}`;
  const found = new Map<number | null, Drawing>();
  const of = (label: number | null): Drawing => {
    const known = found.get(label) ?? { label, boxes: "", frames: "", rings: "", bones: "", dots: "", hollow: "" };
    found.set(label, known);
    return known;
  };
  for (const { label, rings } of drawn.masks) {
    if (label === null || !hidden.has(label)) of(label).rings += ringPath(rings, put);
  }
  for (const { box, index } of chosenBoxes(overlayBoxes(tile.boxes, tile.labels), hidden)) {
    const drawing = of(box.label);
    const shape = drawn.objects.get(index);
    const outlined = shape !== undefined && shape.polygons.length + shape.outlines.length > 0;
    const thin = outlined || tile.boxes.length / 4 > MANY;
    drawing[outlined ? "frames" : "boxes"] += boxPath(box, scale, left, top, thin);
    addShape(drawing, drawn, index, skeletons, put);
  }
  return [...found.values()];
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

const tenth = (value: number): number => Math.round(value * 10) / 10;

/** A box on whole pixels; a line of one pixel lies in the middle of one. */
function boxPath(box: OverlayBox, scale: number, left: number, top: number, thin: boolean): string {
  const shift = thin ? 0.5 : 0;
  const x = Math.round(box.x * scale - left);
  const y = Math.round(box.y * scale - top);
  const width = Math.round((box.x + box.width) * scale - left) - x;
  const height = Math.round((box.y + box.height) * scale - top) - y;
  return `M${x + shift} ${y + shift}h${width}v${height}h${-width}z`;
}

function addShape(
  drawing: Drawing,
  drawn: Shapes,
  index: number,
  skeletons: Readonly<Record<string, Skeleton>>,
  put: (x: number, y: number) => string,
): void {
  const shape = drawn.objects.get(index);
  if (shape === undefined) return;
  drawing.rings += ringPath([...shape.polygons, ...shape.outlines], put);
  const { points } = shape;
  if (points === null) return;
  const at = (k: number): string => put(points[3 * k] ?? 0, points[3 * k + 1] ?? 0);
  for (const [one, other] of skeletons[String(drawing.label)]?.edges ?? []) {
    if (points[3 * one + 2] && points[3 * other + 2]) drawing.bones += `M${at(one)}L${at(other)}`;
  }
  for (let k = 0; 3 * k < points.length; k++) {
    const seen = points[3 * k + 2];
    if (seen) drawing.dots += `M${at(k)}h0`;
    if (seen === 1) drawing.hollow += `M${at(k)}h0`;
  }
}
