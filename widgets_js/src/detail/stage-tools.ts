// What the parts of the stage share: the view, the boxes under edit, and how a change of them is sent.
import type { Signal } from "@preact/signals";
import type { Box, Handle, Size, View } from "../session/box-geometry.ts";
import { type Annotations, fromBoxes, isPaired } from "../session/labels.ts";
import type { SampleDetail } from "../session/protocol.ts";
import type { Session } from "../session/session.ts";
import { overlayBoxes } from "../ui/box-overlay.tsx";

export type Gesture =
  | { kind: "pan"; x: number; y: number; moved: boolean }
  | { kind: "draw"; x: number; y: number; box: Box | null }
  | { kind: "drag"; index: number; handle: Handle; x: number; y: number; from: Box };

export interface Tools {
  session: Session;
  port: { current: HTMLDivElement | null };
  size: Signal<Size>;
  view: Signal<View>;
  boxes: Signal<Box[]>;
  gesture: Signal<Gesture | null>;
  image: Size;
  relabel: () => void;
}

export function addBox(tools: Tools, box: Box): void {
  const next = [...tools.boxes.value, box];
  tools.boxes.value = next;
  tools.session.detail.selectedBox.value = next.length - 1;
  save(tools, next);
}

/** An edit the kernel refuses is put back to what the sample says. */
export function save(tools: Tools, boxes: readonly Box[]): void {
  const { detail, store } = tools.session;
  const sample = detail.sample.value;
  if (sample === null) return;
  const paired = isPaired(sample, store.dataset.value?.paired ?? false);
  void detail.change(fromBoxes(boxes, sample.labels, paired)).then((done) => {
    if (!done) tools.boxes.value = boxesOf(detail.sample.value ?? sample);
  });
}

/** The boxes of a sample, each knowing its place in it. */
export function boxesOf(shown: Annotations | SampleDetail): Box[] {
  return overlayBoxes(shown.boxes, shown.labels).map((box, source) => ({ ...box, source }));
}
