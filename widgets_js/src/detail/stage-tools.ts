// What the parts of the stage share: the view, the boxes under edit, and how a change of them is sent.
import type { Signal } from "@preact/signals";
import { type Box, type Handle, overlayBoxes, type Size, type View, withShape } from "../session/box-geometry.ts";
import type { ShownSample } from "../session/detail-session.ts";
import { type Annotations, fromBoxes, isPaired } from "../session/labels.ts";
import type { Session } from "../session/session.ts";
import { type ObjectShape, type Point, pointPlace, type Shapes } from "../session/shapes.ts";

export type Gesture =
  | { kind: "pan"; x: number; y: number; moved: boolean }
  | { kind: "draw"; x: number; y: number; box: Box | null }
  | { kind: "drag"; index: number; handle: Handle; x: number; y: number; from: Box }
  | { kind: "point"; index: number; point: Point; x: number; y: number; from: Box; moved: boolean };

export interface Tools {
  session: Session;
  port: { current: HTMLDivElement | null };
  size: Signal<Size>;
  view: Signal<View>;
  boxes: Signal<Box[]>;
  gesture: Signal<Gesture | null>;
  /** The point that was chosen before the one under the pointer was pressed. */
  pressed: { current: Point | null };
  /** The shape of each object as the kernel has it, or will have it when the edits on their way are done. */
  known: { current: Shapes["objects"] };
  image: Size;
}

export function addBox(tools: Tools, box: Box): void {
  const next = [...tools.boxes.value, box];
  tools.boxes.value = next;
  tools.session.detail.selectedBox.value = next.length - 1;
  save(tools, next);
}

/** An edit the kernel refuses is put back to what the sample says. Later edits start from what is sent here. */
export function save(tools: Tools, boxes: readonly Box[]): void {
  const { detail, store } = tools.session;
  const sample = detail.sample.value;
  if (sample === null) return;
  const paired = isPaired(sample, store.dataset.value?.paired ?? false);
  const edited = fromBoxes(boxes, sample.labels, paired, { masks: [], objects: tools.known.current });
  const sent = detail.change(edited);
  take(
    tools,
    boxes.map((box, source) => ({ ...box, source })),
  );
  void sent.then((done) => {
    if (!done) take(tools, boxesOf(detail.sample.value ?? sample));
  });
}

/** Show boxes that the kernel has. */
export function take(tools: Pick<Tools, "boxes" | "known">, boxes: Box[]): void {
  tools.known.current = new Map(boxes.flatMap(({ shape }, i) => (shape === undefined ? [] : [[i, shape]])));
  tools.boxes.value = boxes;
}

/** The boxes of a sample, each knowing its place in it. */
export function boxesOf(shown: Annotations | ShownSample): Box[] {
  return overlayBoxes(shown.boxes, shown.labels).map((box, source) => {
    const shape = shown.drawn?.objects.get(source);
    return { ...box, source, ...(shape && { shape }) };
  });
}

/** The boxes with another shape for one of them. */
export function reshaped(tools: Tools, index: number, shape: ObjectShape, from = tools.boxes.value[index]): Box[] {
  return tools.boxes.value.map((box, i) => (i === index && from !== undefined ? withShape(from, shape) : box));
}

/** The chosen vertex or keypoint, where its box still is chosen and has it. */
export function chosenPoint(tools: Tools): { index: number; box: Box; shape: ObjectShape; point: Point } | null {
  const { detail } = tools.session;
  const chosen = detail.selectedPoint.value;
  const index = detail.selectedBox.value;
  const box = index === null ? undefined : tools.boxes.value[index];
  if (chosen === null || index === null || chosen.box !== index || box?.shape === undefined) return null;
  if (pointPlace(box.shape, chosen.point) === null) return null;
  return { index, box, shape: box.shape, point: chosen.point };
}
