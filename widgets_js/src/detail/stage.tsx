import { type Signal, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import {
  actualSize,
  type Box,
  fitView,
  type Size,
  type View,
  visibleRegion,
  zoomAt,
  zoomToBox,
} from "../session/box-geometry.ts";
import { imageUrl } from "../session/page-cache.ts";
import type { Session } from "../session/session.ts";
import type { Point } from "../session/shapes.ts";
import { focusable } from "../ui/focus.ts";
import { countText, pluralText } from "../ui/number-text.ts";
import { addOnEdge, type Key, pointName } from "./point-input.ts";
import { BoxLayer } from "./stage-boxes.tsx";
import { imagePoint, pointerDown, pointerMove, pointerUp, useWheel } from "./stage-input.ts";
import { actOn, stageKey } from "./stage-keys.ts";
import { boxesOf, chosenPoint, type Gesture, type Tools, take } from "./stage-tools.ts";

const REGION_MS = 120;
const NO_STAGE = { onKey: () => {}, focusStage: () => {}, loadImages: () => {} };

/** The image with its boxes: zoom, pan, and drawing. `tight`: no room for more than the zoom's number. */
export function Stage({ session, tight = false }: { session: Session; tight?: boolean }) {
  const { detail, store } = session;
  const port = useRef<HTMLDivElement>(null);
  const size = useSignal<Size>({ width: 0, height: 0 });
  const view = useSignal<View>({ zoom: 1, x: 0, y: 0 });
  const boxes = useSignal<Box[]>([]);
  const gesture = useSignal<Gesture | null>(null);
  const sample = detail.sample.value;
  const image: Size = { width: sample?.width || 1, height: sample?.height || 1 }; // 0 where it cannot be read
  useLayoutEffect(() => observe(port.current, size), [size]);
  const known = useRef<Tools["known"]["current"]>(new Map());
  const taken = useRef<string | undefined>(undefined);
  useSignalEffect(() => {
    const now = detail.sample.value;
    const source = now?.before && detail.showBefore.value ? now.before : now;
    if (detail.restless.value && source === now && now?.uid === taken.current) return;
    taken.current = source === now ? now?.uid : undefined;
    take({ boxes, known }, source === null ? [] : boxesOf(source));
  });
  const uid = sample?.uid;
  useLayoutEffect(() => {
    if (size.value.width > 0) view.value = fitView(size.value, image);
  }, [uid, size.value.width, size.value.height, image.width, image.height]);
  const pressed = useRef<Point | null>(null);
  const tools: Tools = { session, port, size, view, boxes, gesture, pressed, known, image };
  useWheel(tools);
  const { zoom, x, y } = view.value;
  const editable =
    store.dataset.value?.read_only === false &&
    store.dataset.value.box_tensor !== null &&
    store.isLive.value &&
    !detail.showBefore.value;
  const act = useRef<(key: Key) => boolean>(() => false);
  act.current = (key) => actOn(key, tools, editable);
  const onKey = (event: KeyboardEvent): void => stageKey(event, session, (key) => act.current(key));
  useEffect(() => {
    let held: HTMLImageElement[] = []; // as long as they are, the browser shows their URLs at once
    const loadImages = (urls: readonly string[]): void => {
      held = urls.map((url) => held.find(({ src }) => src === url) ?? loaded(url));
    };
    Object.assign(detail, { onKey, loadImages, focusStage: () => port.current?.focus({ preventScroll: true }) });
    return () => {
      if (detail.onKey === onKey) Object.assign(detail, NO_STAGE);
    };
  }, [detail]);
  useSignalEffect(() => {
    const index = detail.selectedBox.value;
    const box = index === null ? undefined : boxes.value[index];
    const { zoom: by, x: left, y: top } = view.value;
    detail.chosenAt.value = box
      ? { x: (box.x - left) * by, y: (box.y - top) * by, width: box.width * by, height: box.height * by }
      : null;
  });
  const filter = filterOf(detail);
  return (
    <div
      {...focusable}
      ref={port}
      class={`penstock-stage${detail.drawing.value ? " penstock-drawing" : ""}`}
      tabIndex={0}
      role="application"
      aria-label={stageName(tools)}
      aria-roledescription="image with boxes"
      data-testid="penstock-stage"
      onPointerDown={(event) => pointerDown(event, tools, editable)}
      onPointerMove={(event) => pointerMove(event, tools)}
      onPointerUp={(event) => pointerUp(event, tools)}
      onDblClick={(event) => {
        if (editable && addOnEdge(tools, imagePoint(event, tools))) return;
        view.value =
          zoom > fitView(size.value, image).zoom * 1.01
            ? fitView(size.value, image)
            : zoomAt(view.value, 2 / zoom, size.value.width / 2, size.value.height / 2, size.value, image);
      }}
      onKeyDown={(event) => {
        if (event.target === port.current) onKey(event);
      }}
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
              filter,
              imageRendering: zoom > 3 ? "pixelated" : "auto",
            }}
          />
          <Sharp tools={tools} filter={filter} />
        </>
      )}
      <BoxLayer tools={tools} editable={editable} />
      <ZoomButtons tools={tools} tight={tight} />
    </div>
  );
}

function loaded(url: string): HTMLImageElement {
  const image = new Image();
  image.src = url;
  return image;
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

function stageName(tools: Tools): string {
  const { session } = tools;
  const boxes = tools.boxes.value;
  const sample = session.detail.sample.value;
  if (sample === null) return "no sample";
  const index = session.detail.selectedBox.value;
  const chosen = index === null ? undefined : boxes[index];
  const name = chosen?.label == null ? "box" : session.store.classNames.value[chosen.label];
  const point = chosenPoint(tools);
  const at = point === null ? "" : `, ${pointName(tools, point.shape, point.point, point.box.label)}`;
  return `sample ${countText(sample.row)}, ${pluralText(boxes.length, "box", "boxes")}${chosen === undefined ? "" : `, ${name} selected`}${at}`;
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
function Sharp({ tools, filter }: { tools: Tools; filter: string }) {
  const { session, view, size, image } = tools;
  const levels = session.detail.window.value;
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
    const sharpEnough = levels === null && (preview >= 1 || zoom <= preview * 1.05);
    if (sharpEnough) drop();
    if (uid === undefined || !session.store.isLive.peek() || sharpEnough) return undefined;
    const timer = setTimeout(() => {
      const region = visibleRegion(view.value, size.value, image);
      if (region.width < 1 || region.height < 1) return;
      session.store.rpc
        .call("sample.region", { uid, ...region, ...(levels && { window: [...levels] }) }, { lane: "region" })
        .then(
          ({ buffers }) => {
            const url = imageUrl(buffers[0]);
            drop();
            if (url !== null)
              patch.value = { url, x: region.x, y: region.y, width: region.width, height: region.height };
          },
          () => {},
        );
    }, REGION_MS);
    return () => clearTimeout(timer);
  }, [uid, zoom, x, y, size.value.width, size.value.height, levels]);
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
        filter,
        imageRendering: zoom > 3 ? "pixelated" : "auto",
      }}
    />
  );
}
/** Brightness and contrast are how the browser draws; the data is as it was. */
function filterOf({ brightness, contrast }: Session["detail"]): string {
  if (brightness.value === 1 && contrast.value === 1) return "none";
  return `brightness(${brightness.value}) contrast(${contrast.value})`;
}

function ZoomButtons({ tools, tight }: { tools: Tools; tight: boolean }) {
  const { view, size, image, session, boxes } = tools;
  const by = (factor: number): void => {
    view.value = zoomAt(view.value, factor, size.value.width / 2, size.value.height / 2, size.value, image);
  };
  const percentage = `${Math.round(view.value.zoom * 100)}%`;
  const index = session.detail.selectedBox.value;
  const box = index === null ? undefined : boxes.value[index];
  if (size.value.width === 0) return null;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: only keeps a press on a button from panning
    <div
      class="penstock-zoom"
      onPointerDown={(event) => event.stopPropagation()}
      onDblClick={(event) => event.stopPropagation()}
      data-testid="penstock-zoom"
      data-zoom={view.value.zoom}
    >
      {tight ? null : (
        <>
          <ZoomTo label="fit" title="the whole image (0)" to={() => fitView(size.value, image)} tools={tools} />
          <ZoomTo
            label="1:1"
            title="100%: one image pixel per screen pixel (Z without a box)"
            to={() => actualSize(view.value, size.value, image)}
            tools={tools}
          />
          {boxes.value.length === 0 ? null : (
            <ZoomTo
              label="box"
              title="zoom to the selected box (Z)"
              to={box === undefined ? null : () => zoomToBox(box, size.value, image)}
              tools={tools}
            />
          )}
        </>
      )}
      <button {...focusable} type="button" aria-label="Zoom out" title="zoom out (−)" onClick={() => by(1 / 1.5)}>
        −
      </button>
      <button
        {...focusable}
        type="button"
        aria-label={`${percentage}: fit the image`}
        title="fit (0)"
        onClick={() => {
          view.value = fitView(size.value, image);
        }}
      >
        {percentage}
      </button>
      <button {...focusable} type="button" aria-label="Zoom in" title="zoom in (+)" onClick={() => by(1.5)}>
        +
      </button>
    </div>
  );
}

interface ZoomToProps {
  label: string;
  title: string;
  to: (() => View) | null;
  tools: Tools;
}

function ZoomTo({ label, title, to, tools }: ZoomToProps) {
  return (
    <button
      {...focusable}
      type="button"
      title={title}
      disabled={to === null}
      data-testid={`penstock-zoom-${label === "1:1" ? "actual" : label}`}
      onClick={() => {
        if (to !== null) tools.view.value = to();
        tools.port.current?.focus({ preventScroll: true });
      }}
    >
      {label}
    </button>
  );
}
