// The boxes over the image, in screen pixels: halo, class color and dashes, names on top, handles on the chosen one.

import { type Box, HANDLES, type Handle, nameAt, namedBoxes } from "../session/box-geometry.ts";
import { classColor, classDash } from "../ui/colors.ts";
import { MaskLayer, ObjectLayer, PointHandles } from "./stage-shapes.tsx";
import { chosenPoint, type Tools } from "./stage-tools.ts";

const NAME_FROM = 48;

export function BoxLayer({ tools, editable }: { tools: Tools; editable: boolean }) {
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
  const put = (px: number, py: number) => ({ x: (px - x) * zoom, y: (py - y) * zoom });
  const { sample, showBefore } = session.detail;
  const drawnShapes = (showBefore.value ? sample.value?.before : sample.value)?.drawn;
  const skeleton = (label: number | null) => session.store.dataset.value?.skeletons[String(label)];
  const shown = boxes.value.map((box, i) => {
    const off = box.label !== null && hidden.has(box.label) && i !== selected;
    return {
      ...screen(box),
      label: box.label,
      outlined: (box.shape?.polygons.length ?? 0) + (box.shape?.outlines.length ?? 0) > 0,
      off,
      name: box.label === null || off ? null : (names[box.label] ?? null),
    };
  });
  const named = namedBoxes(shown, selected, NAME_FROM);
  return (
    <svg class="penstock-overlay" width={size.value.width} height={size.value.height} aria-hidden="true">
      <MaskLayer masks={drawnShapes?.masks ?? []} hidden={hidden} put={put} />
      {shown.map(({ label, name, off, outlined, ...at }, i) =>
        off ? null : <StageBox key={i} at={at} label={label} selected={i === selected} thin={outlined} />,
      )}
      {boxes.value.map((box, i) =>
        shown[i]?.off ? null : (
          <ObjectLayer key={i} box={box} chosen={i === selected} skeleton={skeleton(box.label)} put={put} />
        ),
      )}
      {drawn === null ? null : <StageBox at={screen(drawn)} label={drawn.label} selected thin={false} />}
      {shown.map(({ name, ...at }, i) =>
        named.has(i) ? (
          <text key={i} class="penstock-box-name" {...nameAt(at)}>
            {name}
          </text>
        ) : null,
      )}
      {editable && chosen !== undefined && !chosen.shape?.polygons.length ? <Handles at={screen(chosen)} /> : null}
      {editable && chosen?.shape !== undefined ? (
        <PointHandles
          shape={chosen.shape}
          point={chosenPoint(tools)?.point ?? null}
          skeleton={skeleton(chosen.label)}
          put={put}
        />
      ) : null}
    </svg>
  );
}

interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

interface StageBoxProps {
  at: Rectangle;
  label: number | null;
  selected: boolean;
  /** An outline says more than the box. */
  thin: boolean;
}

function StageBox({ at, label, selected, thin }: StageBoxProps) {
  const width = thin ? 1 : selected ? 3 : 2;
  const dash = label === null ? "none" : classDash(label);
  return (
    <g class={selected ? "penstock-chosen" : ""}>
      {thin ? null : <rect class="penstock-halo" {...at} stroke-width={width + 2.4} />}
      <rect
        class="penstock-box"
        {...at}
        stroke-width={width}
        stroke-dasharray={dash}
        style={{ stroke: classColor(label) }}
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
