// Boxes, outlines and keypoints over a thumbnail, in its own pixels: class color with a white halo, dashes by class number.
// One path for each class and kind, so that a page of hundreds of outlines is drawn at once.
import { type OverlayBox, overlayBoxes } from "../session/box-geometry.ts";
import type { LoadedTile } from "../session/page-cache.ts";
import type { Skeleton } from "../session/protocol.ts";
import { type ObjectShape, ringPath } from "../session/shapes.ts";
import { classColor, classDash } from "../ui/colors.ts";

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
  const markup = markupOf(tile, skeletons, hidden, side);
  if (markup === "") return null;
  return (
    <svg
      class={`penstock-overlay${many ? " penstock-many" : ""}`}
      width={side}
      height={side}
      aria-hidden="true"
      // numbers and class colors alone; elements made one by one took twice as long as the rest of the page
      // biome-ignore lint/security/noDangerouslySetInnerHtml: no text of a dataset is in it
      dangerouslySetInnerHTML={{ __html: markup }}
    />
  );
}

const PARTS = [
  ["rings", "penstock-outline"],
  ["frames", "penstock-frame"],
  ["boxes", "penstock-box"],
  ["bones", "penstock-bones"],
  ["dots", "penstock-dots"],
  ["hollow", "penstock-hollow"],
] as const;

/** The last drawing of a tile: one that comes into view again is not worked out anew. */
const known = new WeakMap<LoadedTile, { of: readonly unknown[]; markup: string }>();

function markupOf(
  tile: LoadedTile,
  skeletons: Readonly<Record<string, Skeleton>>,
  hidden: ReadonlySet<number>,
  side: number,
): string {
  const of = [skeletons, hidden, side];
  const last = known.get(tile);
  if (last?.of.every((one, i) => one === of[i])) return last.markup;
  const many = tile.boxes.length / 4 > MANY;
  const markup = drawn(tile, skeletons, hidden, side)
    .map((drawing) => group(drawing, many))
    .join("");
  known.set(tile, { of, markup });
  return markup;
}

function group(drawing: Drawing, many: boolean): string {
  const { label } = drawing;
  const color = classColor(label);
  const dashes = label === null ? "none" : classDash(label);
  let markup = many ? "" : `<path class="penstock-halo" d="${drawing.boxes}${drawing.rings}"/>`;
  for (const [part, name] of PARTS) {
    if (drawing[part] === "") continue;
    const dash = dashes !== "none" && (part === "rings" || part === "boxes") ? ` stroke-dasharray="${dashes}"` : "";
    const fill = part === "rings" ? `;fill:${color}` : "";
    const style = part === "hollow" ? "" : ` style="stroke:${color}${fill}"`; // a hollow point is white inside
    markup += `<path class="${name}" d="${drawing[part]}"${dash}${style}/>`;
  }
  return markup;
}

function drawn(
  tile: LoadedTile,
  skeletons: Readonly<Record<string, Skeleton>>,
  hidden: ReadonlySet<number>,
  side: number,
): Drawing[] {
  const { width, height, drawn: shapes } = tile;
  if (width <= 0 || height <= 0) return [];
  const scale = side / Math.min(width, height);
  const [left, top] = [(width * scale - side) / 2, (height * scale - side) / 2];
  const put = (x: number, y: number): string => `${tenth(x * scale - left)} ${tenth(y * scale - top)}`;
  const found = new Map<number | null, Drawing>();
  const of = (label: number | null): Drawing => {
    const made = found.get(label) ?? { label, boxes: "", frames: "", rings: "", bones: "", dots: "", hollow: "" };
    found.set(label, made);
    return made;
  };
  for (const { label, rings } of shapes.masks) {
    if (label === null || !hidden.has(label)) of(label).rings += ringPath(rings, put);
  }
  for (const { box, index } of chosenBoxes(overlayBoxes(tile.boxes, tile.labels), hidden)) {
    const drawing = of(box.label);
    const shape = shapes.objects.get(index);
    const outlined = shape !== undefined && shape.polygons.length + shape.outlines.length > 0;
    const thin = outlined || tile.boxes.length / 4 > MANY;
    drawing[outlined ? "frames" : "boxes"] += boxPath(box, scale, left, top, thin);
    addShape(drawing, shape, skeletons, put);
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
  shape: ObjectShape | undefined,
  skeletons: Readonly<Record<string, Skeleton>>,
  put: (x: number, y: number) => string,
): void {
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
