// The pointer on the stage.
import { useEffect } from "preact/hooks";
import { type Box, boxAt, boxBetween, dragBox, type Handle, panBy, zoomAt } from "../session/box-geometry.ts";
import { samePoint } from "../session/shapes.ts";
import { focused } from "../ui/focus.ts";
import { dragPoint, dropPoint, pressPoint } from "./point-input.ts";
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
  session.labeling.done();
  port.current?.setPointerCapture(event.pointerId);
  const point = imagePoint(event, tools);
  const handle = (event.target as Element).getAttribute("data-handle") as Handle | null;
  const chosen = session.detail.selectedBox.value;
  const box = chosen === null ? undefined : boxes.value[chosen];
  const before = chosenPoint(tools)?.point ?? null;
  if (session.detail.drawing.value && editable) {
    session.detail.selectedPoint.value = null;
    gesture.value = { kind: "draw", ...point, box: null };
    return;
  }
  if (editable && chosen !== null && box !== undefined && pressPoint(event, point, chosen, box, tools)) {
    tools.pressed.current = before;
    return;
  }
  session.detail.selectedPoint.value = null;
  if (handle !== null && chosen !== null && box !== undefined) {
    gesture.value = { kind: "drag", index: chosen, handle, ...point, from: box };
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
  pointerMove(event, tools); // where it was let go counts, whatever moves were told of before
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
  else if (isElsewhere(boxes.value[now.index], now.from)) save(tools, boxes.value);
}

/** A click on a box changes nothing. */
function isElsewhere(box: Box | undefined, from: Box): boolean {
  return (["x", "y", "width", "height"] as const).some((side) => box?.[side] !== from[side]);
}
