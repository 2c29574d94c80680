// Keys on the stage. Those of boxes are the ones of jupyter-bbox-widget. A key pressed before its sample has arrived waits.
import {
  actualSize,
  dragBox,
  fitView,
  isFit,
  keyBox,
  panBy,
  type View,
  zoomAt,
  zoomToBox,
} from "../session/box-geometry.ts";
import type { Session } from "../session/session.ts";
import { type Key, pointKey } from "./point-input.ts";
import { addBox, save, type Tools } from "./stage-tools.ts";
import { goTo, stepTarget } from "./stepper.tsx";

const STEPS: Record<string, 1 | -1> = { ArrowLeft: -1, ArrowRight: 1 };

/** Do what a key says, in the order of the keys; `act` is asked when it is its turn. */
export function stageKey(event: KeyboardEvent, session: Session, act: (key: Key) => boolean): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const { detail } = session;
  const key: Key = { key: event.key, shiftKey: event.shiftKey };
  const moves = !event.shiftKey && event.key in STEPS && detail.selectedPoint.value === null;
  let handled: boolean | null = null;
  detail.keys.run(() => {
    handled = act(key);
  }, moves);
  if (handled ?? key.key !== "Tab") event.preventDefault();
}

/** What a key does now. */
export function actOn(key: Key, tools: Tools, editable: boolean): boolean {
  return (
    (editable && pointKey(key, tools)) ||
    sampleKey(key, tools) ||
    viewKey(key, tools) ||
    (editable && boxKey(key, tools)) ||
    (key.key.toLowerCase() === "f" && expand(tools.session))
  );
}

function sampleKey({ key, shiftKey }: Key, { session }: Tools): boolean {
  const { labeling } = session;
  const by = shiftKey ? undefined : STEPS[key];
  if (by !== undefined) {
    const next = stepTarget(session, by);
    if (next !== null) goTo(session, next);
  } else if (key.toLowerCase() === "u") void labeling.nextUnlabeled();
  else if (key.toLowerCase() === "c" && session.store.dataset.value?.label_tensor != null) labeling.pick();
  else if (!labeling.key(key)) return false;
  return true;
}

const PANS: Record<string, [number, number]> = {
  ArrowLeft: [40, 0],
  ArrowRight: [-40, 0],
  ArrowUp: [0, 40],
  ArrowDown: [0, -40],
};

function viewKey(event: Key, tools: Tools): boolean {
  const { view, size, image, session, boxes } = tools;
  const center = [size.value.width / 2, size.value.height / 2] as const;
  const { key } = event;
  const pan = PANS[key];
  if (key === "+" || key === "=") view.value = zoomAt(view.value, 1.5, ...center, size.value, image);
  else if (key === "-") view.value = zoomAt(view.value, 1 / 1.5, ...center, size.value, image);
  else if (key === "0") view.value = fitView(size.value, image);
  else if (key.toLowerCase() === "z") view.value = closer(tools);
  else if (pan !== undefined) view.value = panBy(view.value, pan[0], pan[1], size.value, image);
  else if (key === "Tab") return nextBox(session, boxes.value.length, event.shiftKey ? -1 : 1);
  else if (key === "Escape") return stepBack(tools);
  else return false;
  return true;
}

/** To the chosen box, without one to 100 %; from there back to the whole image. */
export function closer({ session, view, size, image, boxes }: Tools): View {
  const index = session.detail.selectedBox.value;
  const box = index === null ? undefined : boxes.value[index];
  const wanted = box === undefined ? actualSize(view.value, size.value, image) : zoomToBox(box, size.value, image);
  return Math.abs(wanted.zoom / view.value.zoom - 1) < 0.005 ? fitView(size.value, image) : wanted;
}

/** One step back: the list of classes, drawing, the zoom, the chosen box, then to the grid. */
function stepBack({ session, view, size, image }: Tools): boolean {
  const { detail, labeling, store } = session;
  if (labeling.picking.value) labeling.done();
  else if (detail.drawing.value) detail.drawing.value = false;
  else if (!isFit(view.value, size.value, image)) view.value = fitView(size.value, image);
  else if (detail.selectedBox.value !== null || labeling.asked.value !== null) {
    detail.selectedBox.value = null;
    labeling.done();
  } else if (store.region.value === "image") store.region.value = "grid";
  else session.grid.focus();
  return true;
}

/** Tab walks the boxes and leaves the stage after the last one. */
function nextBox(session: Session, count: number, by: 1 | -1): boolean {
  const now = session.detail.selectedBox.value;
  const next = now === null ? (by === 1 ? 0 : -1) : now + by;
  session.labeling.done();
  if (next < 0 || next >= count) {
    session.detail.selectedBox.value = null;
    return false;
  }
  session.detail.selectedBox.value = next;
  return true;
}

function boxKey(event: Key, tools: Tools): boolean {
  const { session, boxes, image } = tools;
  const key = event.key.toLowerCase();
  if (key === "n") {
    session.detail.drawing.value = !session.detail.drawing.value;
    return true;
  }
  const index = session.detail.selectedBox.value;
  const box = index === null ? undefined : boxes.value[index];
  if (index === null || box === undefined) return false;
  if (key === "delete" || key === "backspace") {
    session.detail.selectedBox.value = null;
    save(
      tools,
      boxes.value.filter((_, i) => i !== index),
    );
  } else if (key === "v") {
    const { source: _, ...copy } = dragBox(box, "move", 10 / tools.view.value.zoom, 10 / tools.view.value.zoom, image);
    addBox(tools, copy);
  } else {
    const moved = keyBox(key, box, (event.shiftKey ? 10 : 1) / Math.min(1, tools.view.value.zoom), image);
    if (moved === null) return false;
    const next = boxes.value.map((one, i) => (i === index ? moved : one));
    boxes.value = next;
    session.detail.saveSoon(() => save(tools, tools.boxes.value));
  }
  return true;
}

function expand(session: Session): boolean {
  if (session.store.region.value === "image") return false;
  session.grid.openDetail();
  return true;
}
