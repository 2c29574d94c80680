// Vertices and keypoints under the pointer and the keys: dragged, added, removed, hidden.
import type { Box, Size } from "../session/box-geometry.ts";
import {
  edgeAt,
  LEAST_VERTICES,
  nextPart,
  type ObjectShape,
  type Place,
  type Point,
  pointPlace,
  pointsOf,
  samePoint,
  withoutVertex,
  withPointAt,
  withVertexAfter,
  withVisibilityStepped,
} from "../session/shapes.ts";
import { chosenPoint, reshaped, save, type Tools } from "./stage-tools.ts";

/** What a key says, kept while it waits. */
export type Key = Pick<KeyboardEvent, "key" | "shiftKey">;

const EDGE_REACH = 8; // pixels of the stage
const SEEN = ["not labeled", "hidden", "visible"];

const within = ({ x, y }: Place, image: Size): Place => ({
  x: Math.min(Math.max(x, 0), image.width),
  y: Math.min(Math.max(y, 0), image.height),
});

/** Start on a vertex, the middle of an edge or a keypoint of the chosen box; false where none is pressed. */
export function pressPoint(event: PointerEvent, place: Place, index: number, box: Box, tools: Tools): boolean {
  const { vertex, edge, keypoint } = (event.target as SVGElement).dataset;
  const { gesture, session, boxes } = tools;
  if (box.shape === undefined || (vertex ?? edge ?? keypoint) === undefined) return false;
  const [ring = 0, at = 0] = (vertex ?? edge ?? "").split(":").map(Number);
  if (vertex !== undefined && event.altKey) {
    removeVertex(tools, index, box.shape, { ring, at });
    return true;
  }
  const point: Point =
    keypoint !== undefined ? { keypoint: Number(keypoint) } : { ring, at: edge === undefined ? at : at + 1 };
  const shape = edge === undefined ? box.shape : withVertexAfter(box.shape, ring, at);
  if (edge !== undefined) boxes.value = reshaped(tools, index, shape);
  session.detail.selectedPoint.value = { box: index, point };
  gesture.value = {
    kind: "point",
    index,
    point,
    ...place,
    from: boxes.value[index] ?? box,
    moved: edge !== undefined,
  };
  return true;
}

/** The point follows the pointer from where it was, inside the image. */
export function dragPoint(tools: Tools, place: Place): void {
  const { gesture, boxes, view, image } = tools;
  const now = gesture.value;
  if (now?.kind !== "point" || now.from.shape === undefined) return;
  const was = pointPlace(now.from.shape, now.point);
  const by = { x: place.x - now.x, y: place.y - now.y };
  const moved = now.moved || Math.hypot(by.x, by.y) * view.value.zoom > 3;
  if (was === null || !moved) return;
  if (!now.moved) gesture.value = { ...now, moved };
  const next = withPointAt(now.from.shape, now.point, within({ x: was.x + by.x, y: was.y + by.y }, image));
  boxes.value = reshaped(tools, now.index, next, now.from);
}

/** A keypoint that was only clicked steps its visibility. */
export function dropPoint(tools: Tools, now: { index: number; point: Point; moved: boolean }, again: boolean): void {
  const shape = tools.boxes.value[now.index]?.shape;
  if (now.moved) save(tools, tools.boxes.value);
  else if ("keypoint" in now.point && shape !== undefined && again) stepVisibility(tools, now.index, shape, now.point);
}

/** A double click next to an edge of the chosen box puts a vertex there. */
export function addOnEdge(tools: Tools, place: Place): boolean {
  const { session, boxes, view } = tools;
  const index = session.detail.selectedBox.value;
  const shape = index === null ? undefined : boxes.value[index]?.shape;
  const edge = edgeAt(shape?.polygons ?? [], place, EDGE_REACH / view.value.zoom);
  if (index === null || shape === undefined || edge === null) return false;
  commit(tools, index, withVertexAfter(shape, edge.ring, edge.at, edge.place), { ring: edge.ring, at: edge.at + 1 });
  return true;
}

function commit(tools: Tools, index: number, shape: ObjectShape, point: Point | null): void {
  const next = reshaped(tools, index, shape);
  tools.boxes.value = next;
  tools.session.detail.selectedPoint.value = point && { box: index, point };
  save(tools, next);
}

function removeVertex(
  tools: Tools,
  index: number,
  shape: ObjectShape,
  { ring, at }: { ring: number; at: number },
): void {
  const left = withoutVertex(shape, ring, at);
  if (left === null) {
    tools.session.toast(`A polygon has at least ${LEAST_VERTICES} vertices`);
    return;
  }
  commit(tools, index, left, { ring, at: Math.max(0, at - 1) });
}

function stepVisibility(tools: Tools, index: number, shape: ObjectShape, point: { keypoint: number }): void {
  const box = tools.boxes.value[index];
  if (box === undefined) return;
  const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  const next = withVisibilityStepped(shape, point.keypoint, middle);
  commit(tools, index, next, point);
  tools.session.store.actions.announce(pointName(tools, next, point, box.label));
}

/** Enter goes to the points of the chosen box, then on to its next polygon or its keypoints; Tab walks them, Escape goes back to the box. */
export function pointKey(event: Key, tools: Tools): boolean {
  const index = tools.session.detail.selectedBox.value;
  const box = index === null ? undefined : tools.boxes.value[index];
  if (index === null || box?.shape === undefined) return false;
  const chosen = chosenPoint(tools);
  if (chosen === null) return event.key === "Enter" && choose(tools, index, box, pointsOf(box.shape)[0]);
  if (event.key === "Enter") return choose(tools, index, box, nextPart(box.shape, chosen.point));
  if (event.key === "Tab") {
    const at = pointsOf(box.shape).findIndex((one) => samePoint(chosen.point, one));
    return choose(tools, index, box, pointsOf(box.shape)[at + (event.shiftKey ? -1 : 1)]) || leave(event, tools);
  }
  if (event.key === "Escape") {
    tools.session.detail.selectedPoint.value = null;
    return true;
  }
  return nudge(event, tools, chosen) || changePoint(event.key.toLowerCase(), tools, chosen);
}

type Chosen = NonNullable<ReturnType<typeof chosenPoint>>;

const ARROWS: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** By a pixel of the image, with Shift by ten. */
function nudge(event: Key, tools: Tools, { index, shape, point }: Chosen): boolean {
  const by = ARROWS[event.key];
  const place = pointPlace(shape, point);
  if (by === undefined || place === null) return false;
  const step = event.shiftKey ? 10 : 1;
  const to = within({ x: place.x + by[0] * step, y: place.y + by[1] * step }, tools.image);
  tools.boxes.value = reshaped(tools, index, withPointAt(shape, point, to));
  tools.session.detail.saveSoon(() => save(tools, tools.boxes.value));
  return true;
}

function changePoint(key: string, tools: Tools, { index, shape, point }: Chosen): boolean {
  const removes = key === "delete" || key === "backspace";
  if ("keypoint" in point) {
    if (key === "v") stepVisibility(tools, index, shape, point);
    else if (removes) tools.session.toast("A keypoint cannot be deleted; V makes it hidden, then not labeled");
    else if (key === "i") tools.session.toast("Vertices can be added to polygons only");
    else return false;
    return true;
  }
  if (key === "i" || key === "insert")
    commit(tools, index, withVertexAfter(shape, point.ring, point.at), { ring: point.ring, at: point.at + 1 });
  else if (removes) removeVertex(tools, index, shape, point);
  else if (key === "v") tools.session.toast("V changes the visibility of keypoints; this is a vertex");
  else return false;
  return true;
}

function choose(tools: Tools, index: number, box: Box, point: Point | undefined): boolean {
  if (point === undefined || box.shape === undefined) return false;
  tools.session.detail.selectedPoint.value = { box: index, point };
  tools.session.store.actions.announce(pointName(tools, box.shape, point, box.label));
  return true;
}

/** Tab before the first point goes back to the box; past the last one to the next box. */
function leave(event: Key, tools: Tools): boolean {
  tools.session.detail.selectedPoint.value = null;
  return event.shiftKey;
}

/** "vertex 3 of 12", "polygon 2, vertex 3 of 12", "left_eye, visible". */
export function pointName(tools: Tools, shape: ObjectShape, point: Point, label: number | null): string {
  if ("ring" in point) {
    const polygon = shape.polygons.length > 1 ? `polygon ${point.ring + 1}, ` : "";
    return `${polygon}vertex ${point.at + 1} of ${(shape.polygons[point.ring]?.length ?? 0) / 2}`;
  }
  const names = tools.session.store.dataset.value?.skeletons[String(label)]?.names;
  const seen = SEEN[shape.points?.[3 * point.keypoint + 2] ?? 0] ?? "";
  return `${names?.[point.keypoint] ?? `keypoint ${point.keypoint + 1}`}, ${seen}`;
}
