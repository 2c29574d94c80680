import { type Signal, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { imageUrl } from "../grid/page-cache.ts";
import { overlayBoxes } from "../shared/box-overlay.tsx";
import { classColour, classDash } from "../shared/colours.ts";
import { focusable } from "../shared/focus.ts";
import type { Session } from "../shared/session.ts";
import {
  type Box,
  boxAt,
  boxBetween,
  dragBox,
  fitView,
  HANDLES,
  type Handle,
  keyBox,
  nameAt,
  namedBoxes,
  panBy,
  type Size,
  type View,
  visibleRegion,
  zoomAt,
} from "./box-geometry.ts";
import { fromBoxes } from "./labels.ts";

const REGION_MS = 120;
const NAME_FROM = 48;

type Gesture =
  | { kind: "pan"; x: number; y: number; moved: boolean }
  | { kind: "draw"; x: number; y: number; box: Box | null }
  | { kind: "drag"; index: number; handle: Handle; x: number; y: number; from: Box };

/** The image with its boxes: zoom, pan, and drawing. `relabel` opens the class search for the selected box. */
export function Stage({ session, relabel }: { session: Session; relabel: () => void }) {
  const { detail, store } = session;
  const port = useRef<HTMLDivElement>(null);
  const size = useSignal<Size>({ width: 0, height: 0 });
  const view = useSignal<View>({ zoom: 1, x: 0, y: 0 });
  const boxes = useSignal<Box[]>([]);
  const gesture = useSignal<Gesture | null>(null);
  const sample = detail.sample.value;
  const image: Size = { width: sample?.width ?? 1, height: sample?.height ?? 1 };
  useLayoutEffect(() => observe(port.current, size), [size]);
  useSignalEffect(() => {
    const now = detail.sample.value;
    const source = now?.before && detail.showBefore.value ? now.before : now;
    boxes.value = source === null ? [] : overlayBoxes(source.boxes, source.labels);
  });
  const uid = sample?.uid;
  useLayoutEffect(() => {
    if (size.value.width > 0) view.value = fitView(size.value, image);
  }, [uid, size.value.width, size.value.height, image.width, image.height]);
  const tools: Tools = { session, port, size, view, boxes, gesture, image, relabel };
  useWheel(tools);
  const { zoom, x, y } = view.value;
  const editable =
    store.dataset.value?.read_only === false && store.dataset.value.box_tensor !== null && !detail.showBefore.value;
  return (
    <div
      {...focusable}
      ref={port}
      class={`penstock-stage${detail.drawing.value ? " penstock-drawing" : ""}`}
      tabIndex={0}
      role="application"
      aria-label={stageName(session, boxes.value)}
      aria-roledescription="image with boxes"
      data-testid="penstock-stage"
      onPointerDown={(event) => pointerDown(event, tools, editable)}
      onPointerMove={(event) => pointerMove(event, tools)}
      onPointerUp={(event) => pointerUp(event, tools)}
      onDblClick={() => {
        view.value =
          zoom > fitView(size.value, image).zoom * 1.01
            ? fitView(size.value, image)
            : zoomAt(view.value, 2 / zoom, size.value.width / 2, size.value.height / 2, size.value, image);
      }}
      onKeyDown={(event) => stageKey(event, tools, editable)}
    >
      {detail.url.value === null ? (
        <StageNote session={session} />
      ) : (
        <>
          <img
            src={detail.url.value}
            alt=""
            draggable={false}
            style={{
              left: `${-x * zoom}px`,
              top: `${-y * zoom}px`,
              width: `${image.width * zoom}px`,
              height: `${image.height * zoom}px`,
            }}
          />
          <Sharp tools={tools} />
        </>
      )}
      <BoxLayer tools={tools} editable={editable} />
      <ZoomButtons tools={tools} />
    </div>
  );
}

interface Tools {
  session: Session;
  port: { current: HTMLDivElement | null };
  size: Signal<Size>;
  view: Signal<View>;
  boxes: Signal<Box[]>;
  gesture: Signal<Gesture | null>;
  image: Size;
  relabel: () => void;
}

function observe(element: HTMLElement | null, size: Signal<Size>): (() => void) | undefined {
  if (element === null) return undefined;
  const read = (): void => {
    size.value = { width: element.clientWidth, height: element.clientHeight };
  };
  read();
  const observer = new ResizeObserver(read);
  observer.observe(element);
  return () => observer.disconnect();
}

function stageName(session: Session, boxes: readonly Box[]): string {
  const sample = session.detail.sample.value;
  if (sample === null) return "no sample";
  const index = session.detail.selectedBox.value;
  const chosen = index === null ? undefined : boxes[index];
  const name = chosen?.label == null ? "box" : session.store.classNames.value[chosen.label];
  return `sample ${sample.row}, ${boxes.length} boxes${chosen === undefined ? "" : `, ${name} selected`}`;
}

function StageNote({ session }: { session: Session }) {
  const { detail } = session;
  const reason = detail.fault.value ?? detail.sample.value?.error;
  if (reason == null) return detail.waiting.value ? <span class="penstock-skeleton" /> : null;
  return (
    <span class="penstock-broken penstock-warned">
      <span>{reason}</span>
    </span>
  );
}

/** Past the preview's own resolution the part in view is fetched pixel-true and laid over it. */
function Sharp({ tools }: { tools: Tools }) {
  const { session, view, size, image } = tools;
  const patch = useSignal<{ url: string; x: number; y: number; width: number; height: number } | null>(null);
  const drop = (): void => {
    if (patch.peek() !== null) URL.revokeObjectURL(patch.peek()?.url ?? "");
    patch.value = null;
  };
  const uid = session.detail.sample.value?.uid;
  useEffect(() => drop, [uid]);
  const { zoom, x, y } = view.value;
  useEffect(() => {
    const preview = 1024 / Math.max(image.width, image.height);
    if (uid === undefined || !session.store.isLive.peek() || preview >= 1 || zoom <= preview * 1.05) return undefined;
    const timer = setTimeout(() => {
      const region = visibleRegion(view.value, size.value, image);
      if (region.width < 1 || region.height < 1) return;
      session.store.rpc.call("sample.region", { uid, ...region }, { lane: "region" }).then(
        ({ buffers }) => {
          const url = imageUrl(buffers[0]);
          drop();
          if (url !== null) patch.value = { url, x: region.x, y: region.y, width: region.width, height: region.height };
        },
        () => {},
      );
    }, REGION_MS);
    return () => clearTimeout(timer);
  }, [uid, zoom, x, y, size.value.width, size.value.height]);
  if (patch.value === null) return null;
  const at = patch.value;
  return (
    <img
      src={at.url}
      alt=""
      draggable={false}
      style={{
        left: `${(at.x - x) * zoom}px`,
        top: `${(at.y - y) * zoom}px`,
        width: `${at.width * zoom}px`,
        height: `${at.height * zoom}px`,
        imageRendering: zoom > 3 ? "pixelated" : "auto",
      }}
    />
  );
}

function BoxLayer({ tools, editable }: { tools: Tools; editable: boolean }) {
  const { session, view, boxes, gesture, size } = tools;
  const { zoom, x, y } = view.value;
  const hidden = session.store.hiddenClasses.value;
  const selected = session.detail.selectedBox.value;
  const screen = (box: Box) => ({
    x: (box.x - x) * zoom,
    y: (box.y - y) * zoom,
    width: box.width * zoom,
    height: box.height * zoom,
  });
  const drawn = gesture.value?.kind === "draw" ? gesture.value.box : null;
  const chosen = selected === null ? undefined : boxes.value[selected];
  const names = session.store.classNames.value;
  const shown = boxes.value.map((box, i) => {
    const off = box.label !== null && hidden.has(box.label) && i !== selected;
    return {
      ...screen(box),
      label: box.label,
      off,
      name: box.label === null || off ? null : (names[box.label] ?? null),
    };
  });
  const named = namedBoxes(shown, selected, NAME_FROM);
  return (
    <svg class="penstock-overlay" width={size.value.width} height={size.value.height} aria-hidden="true">
      {shown.map(({ label, name, off, ...at }, i) =>
        off ? null : <StageBox key={i} at={at} label={label} selected={i === selected} />,
      )}
      {drawn === null ? null : <StageBox at={screen(drawn)} label={drawn.label} selected />}
      {shown.map(({ name, ...at }, i) =>
        named.has(i) ? (
          <text key={i} class="penstock-box-name" {...nameAt(at)}>
            {name}
          </text>
        ) : null,
      )}
      {editable && chosen !== undefined ? <Handles at={screen(chosen)} /> : null}
    </svg>
  );
}

interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

function StageBox({ at, label, selected }: { at: Rectangle; label: number | null; selected: boolean }) {
  const width = selected ? 3 : 2;
  const dash = label === null ? "none" : classDash(label);
  return (
    <g class={selected ? "penstock-chosen" : ""}>
      <rect class="penstock-halo" {...at} stroke-width={width + 2.4} />
      <rect
        class="penstock-box"
        {...at}
        stroke-width={width}
        stroke-dasharray={dash}
        style={{ stroke: classColour(label) }}
      />
    </g>
  );
}

function handleAt(at: Rectangle, handle: Exclude<Handle, "move">): { x: number; y: number } {
  const across = handle.includes("w") ? 0 : handle.includes("e") ? 1 : 0.5;
  const down = handle.includes("n") ? 0 : handle.includes("s") ? 1 : 0.5;
  return { x: at.x + at.width * across, y: at.y + at.height * down };
}

function Handles({ at }: { at: Rectangle }) {
  return (
    <>
      {HANDLES.map((handle) => {
        const point = handleAt(at, handle);
        return (
          <rect
            key={handle}
            class="penstock-handle"
            data-handle={handle}
            x={point.x - 4.5}
            y={point.y - 4.5}
            width={9}
            height={9}
            rx={2}
            style={{ cursor: `${handle}-resize` }}
          />
        );
      })}
    </>
  );
}

function ZoomButtons({ tools }: { tools: Tools }) {
  const { view, size, image } = tools;
  const by = (factor: number): void => {
    view.value = zoomAt(view.value, factor, size.value.width / 2, size.value.height / 2, size.value, image);
  };
  const percentage = useComputed(() => `${Math.round(view.value.zoom * 100)} %`);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: only keeps a press on a button from panning
    <div
      class="penstock-zoom"
      onPointerDown={(event) => event.stopPropagation()}
      onDblClick={(event) => event.stopPropagation()}
    >
      <button {...focusable} type="button" aria-label="Zoom out" onClick={() => by(1 / 1.5)}>
        −
      </button>
      <button
        {...focusable}
        type="button"
        aria-label={`${percentage.value}: fit the image`}
        title="fit; double-click the image for 200 %"
        onClick={() => {
          view.value = fitView(size.value, image);
        }}
      >
        {percentage.value}
      </button>
      <button {...focusable} type="button" aria-label="Zoom in" onClick={() => by(1.5)}>
        +
      </button>
    </div>
  );
}

/** The wheel zooms with Ctrl (a pinch says the same) or while the stage has the focus; else the page scrolls. */
function useWheel(tools: Tools): void {
  const { port, view, size, image } = tools;
  useEffect(() => {
    const element = port.current;
    const onWheel = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey && document.activeElement !== element) return;
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

function imagePoint(event: PointerEvent, { port, view }: Tools): { x: number; y: number } {
  const frame = port.current?.getBoundingClientRect();
  const { zoom, x, y } = view.value;
  return { x: x + (event.clientX - (frame?.left ?? 0)) / zoom, y: y + (event.clientY - (frame?.top ?? 0)) / zoom };
}

function pointerDown(event: PointerEvent, tools: Tools, editable: boolean): void {
  if (event.button !== 0) return;
  const { session, boxes, gesture, port } = tools;
  port.current?.focus({ preventScroll: true });
  port.current?.setPointerCapture(event.pointerId);
  const point = imagePoint(event, tools);
  const handle = (event.target as Element).getAttribute("data-handle") as Handle | null;
  const chosen = session.detail.selectedBox.value;
  const box = chosen === null ? undefined : boxes.value[chosen];
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

function pointerMove(event: PointerEvent, tools: Tools): void {
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
  const moved = dragBox(now.from, now.handle, point.x - now.x, point.y - now.y, image);
  boxes.value = boxes.value.map((box, i) => (i === now.index ? moved : box));
}

function pointerUp(event: PointerEvent, tools: Tools): void {
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
  } else if (boxes.value[now.index] !== now.from) save(tools, boxes.value);
}

function addBox(tools: Tools, box: Box): void {
  const next = [...tools.boxes.value, box];
  tools.boxes.value = next;
  tools.session.detail.selectedBox.value = next.length - 1;
  save(tools, next);
}

/** An edit the kernel refuses is put back to what the sample says. */
function save(tools: Tools, boxes: readonly Box[]): void {
  const { detail } = tools.session;
  const sample = detail.sample.value;
  if (sample === null) return;
  void detail.change(fromBoxes(boxes, sample.labels)).then((done) => {
    if (!done) tools.boxes.value = overlayBoxes(sample.boxes, sample.labels);
  });
}

function stageKey(event: KeyboardEvent, tools: Tools, editable: boolean): void {
  if (event.target !== tools.port.current || event.ctrlKey || event.metaKey || event.altKey) return;
  const handled = viewKey(event, tools) || (editable && boxKey(event, tools));
  if (handled) event.preventDefault();
}

function viewKey(event: KeyboardEvent, tools: Tools): boolean {
  const { view, size, image, session, boxes } = tools;
  const centre = [size.value.width / 2, size.value.height / 2] as const;
  const pans: Record<string, [number, number]> = {
    ArrowLeft: [40, 0],
    ArrowRight: [-40, 0],
    ArrowUp: [0, 40],
    ArrowDown: [0, -40],
  };
  const pan = pans[event.key];
  if (event.key === "+" || event.key === "=") view.value = zoomAt(view.value, 1.5, ...centre, size.value, image);
  else if (event.key === "-") view.value = zoomAt(view.value, 1 / 1.5, ...centre, size.value, image);
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
  else if (key === "v")
    addBox(tools, dragBox(box, "move", 10 / tools.view.value.zoom, 10 / tools.view.value.zoom, image));
  else if (/^[1-9]$/.test(key)) relabelBox(tools, index, Number(key) - 1);
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
