// Pointer and keys on the stage. Keys of boxes are those of jupyter-bbox-widget.

import { useEffect } from "preact/hooks";
import { boxAt, boxBetween, dragBox, fitView, type Handle, keyBox, panBy, zoomAt } from "../session/box-geometry.ts";
import type { Session } from "../session/session.ts";
import { samePoint } from "../session/shapes.ts";
import { focused } from "../ui/focus.ts";
import { dragPoint, dropPoint, pointKey, pressPoint } from "./point-input.ts";
import { addBox, chosenPoint, save, type Tools } from "./stage-tools.ts";

/** The wheel zooms with Ctrl (a pinch says the same) or while the stage has the focus; else the page scrolls. */
export function useWheel(tools: Tools): void {
  const { port, view, size, image } = tools;
  useEffect(() => {
    const element = port.current;
    const onWheel = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey && (element === null || focused(element) !== element)) return;
      event.preventDefault();
      const frame = element?.getBoundingClientRect();
      if (frame === undefined) return;
      const factor = Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002));
      view.value = zoomAt(view.value, factor, event.clientX - frame.left, event.clientY - frame.top, size.value, image);
    };
    element?.addEventListener("wheel", onWheel, { passive: false });
    return () => element?.removeEventListener("wheel", onWheel);
  }, [image.width, image.height]);
}

export function imagePoint(event: MouseEvent, { port, view }: Tools): { x: number; y: number } {
  const frame = port.current?.getBoundingClientRect();
  const { zoom, x, y } = view.value;
  return { x: x + (event.clientX - (frame?.left ?? 0)) / zoom, y: y + (event.clientY - (frame?.top ?? 0)) / zoom };
}

export function pointerDown(event: PointerEvent, tools: Tools, editable: boolean): void {
  if (event.button !== 0) return;
  const { session, boxes, gesture, port } = tools;
  port.current?.focus({ preventScroll: true });
  port.current?.setPointerCapture(event.pointerId);
  const point = imagePoint(event, tools);
  const handle = (event.target as Element).getAttribute("data-handle") as Handle | null;
  const chosen = session.detail.selectedBox.value;
  const box = chosen === null ? undefined : boxes.value[chosen];
  const before = chosenPoint(tools)?.point ?? null;
  if (editable && chosen !== null && box !== undefined && pressPoint(event, point, chosen, box, tools)) {
    tools.pressed.current = before;
    return;
  }
  session.detail.selectedPoint.value = null;
  if (handle !== null && chosen !== null && box !== undefined) {
    gesture.value = { kind: "drag", index: chosen, handle, ...point, from: box };
  } else if (session.detail.drawing.value && editable) {
    gesture.value = { kind: "draw", ...point, box: null };
  } else if (editable && box !== undefined && boxAt([box], point.x, point.y, 0) === 0 && chosen !== null) {
    gesture.value = { kind: "drag", index: chosen, handle: "move", ...point, from: box };
  } else {
    gesture.value = { kind: "pan", x: event.clientX, y: event.clientY, moved: false };
  }
}

export function pointerMove(event: PointerEvent, tools: Tools): void {
  const { gesture, view, size, image, boxes, session } = tools;
  const now = gesture.value;
  if (now === null) return;
  if (now.kind === "pan") {
    const moved = now.moved || Math.hypot(event.clientX - now.x, event.clientY - now.y) > 3;
    if (!moved) return;
    view.value = panBy(view.value, event.clientX - now.x, event.clientY - now.y, size.value, image);
    gesture.value = { kind: "pan", x: event.clientX, y: event.clientY, moved };
    return;
  }
  const point = imagePoint(event, tools);
  if (now.kind === "draw") {
    gesture.value = { ...now, box: boxBetween(now.x, now.y, point.x, point.y, image, session.detail.drawLabel()) };
    return;
  }
  if (now.kind === "point") {
    dragPoint(tools, point);
    return;
  }
  const moved = dragBox(now.from, now.handle, point.x - now.x, point.y - now.y, image);
  boxes.value = boxes.value.map((box, i) => (i === now.index ? moved : box));
}

export function pointerUp(event: PointerEvent, tools: Tools): void {
  const { gesture, boxes, session, view } = tools;
  const now = gesture.value;
  gesture.value = null;
  if (now === null) return;
  if (now.kind === "pan") {
    if (now.moved) return;
    const point = imagePoint(event, tools);
    session.detail.selectedBox.value = boxAt(boxes.value, point.x, point.y, 3 / view.value.zoom);
  } else if (now.kind === "draw") {
    session.detail.drawing.value = false;
    if (now.box !== null) addBox(tools, now.box);
  } else if (now.kind === "point") dropPoint(tools, now, samePoint(tools.pressed.current, now.point));
  else if (boxes.value[now.index] !== now.from) save(tools, boxes.value);
}

export function stageKey(event: KeyboardEvent, tools: Tools, editable: boolean): void {
  if (event.target !== tools.port.current || event.ctrlKey || event.metaKey || event.altKey) return;
  const handled = (editable && pointKey(event, tools)) || viewKey(event, tools) || (editable && boxKey(event, tools));
  if (handled) event.preventDefault();
}

function viewKey(event: KeyboardEvent, tools: Tools): boolean {
  const { view, size, image, session, boxes } = tools;
  const center = [size.value.width / 2, size.value.height / 2] as const;
  const pans: Record<string, [number, number]> = {
    ArrowLeft: [40, 0],
    ArrowRight: [-40, 0],
    ArrowUp: [0, 40],
    ArrowDown: [0, -40],
  };
  const pan = pans[event.key];
  if (event.key === "+" || event.key === "=") view.value = zoomAt(view.value, 1.5, ...center, size.value, image);
  else if (event.key === "-") view.value = zoomAt(view.value, 1 / 1.5, ...center, size.value, image);
  else if (event.key === "0") view.value = fitView(size.value, image);
  else if (pan !== undefined) view.value = panBy(view.value, pan[0], pan[1], size.value, image);
  else if (event.key === "Tab") return nextBox(session, boxes.value.length, event.shiftKey ? -1 : 1);
  else if (event.key === "Escape") {
    session.detail.selectedBox.value = null;
    session.detail.drawing.value = false;
  } else return false;
  return true;
}

/** Tab walks the boxes and leaves the stage after the last one. */
function nextBox(session: Session, count: number, by: 1 | -1): boolean {
  const now = session.detail.selectedBox.value;
  const next = now === null ? (by === 1 ? 0 : -1) : now + by;
  if (next < 0 || next >= count) {
    session.detail.selectedBox.value = null;
    return false;
  }
  session.detail.selectedBox.value = next;
  return true;
}

function boxKey(event: KeyboardEvent, tools: Tools): boolean {
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
  } else if (key === "c") tools.relabel();
  else if (key === "v") {
    const { source: _, ...copy } = dragBox(box, "move", 10 / tools.view.value.zoom, 10 / tools.view.value.zoom, image);
    addBox(tools, copy);
  } else if (/^[1-9]$/.test(key)) relabelBox(tools, index, Number(key) - 1);
  else {
    const moved = keyBox(key, box, (event.shiftKey ? 10 : 1) / Math.min(1, tools.view.value.zoom), image);
    if (moved === null) return false;
    const next = boxes.value.map((one, i) => (i === index ? moved : one));
    boxes.value = next;
    session.detail.saveSoon(() => save(tools, tools.boxes.value));
  }
  return true;
}

function relabelBox(tools: Tools, index: number, label: number): void {
  if (label >= tools.session.store.classNames.value.length) return;
  const next = tools.boxes.value.map((box, i) => (i === index ? { ...box, label } : box));
  tools.boxes.value = next;
  save(tools, next);
}
