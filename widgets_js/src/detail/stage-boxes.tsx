// The boxes over the image, in screen pixels: halo, class color and dashes, names on top, handles on the chosen one.

import { type Box, HANDLES, type Handle, nameAt, namedBoxes } from "../session/box-geometry.ts";
import { classColor, classDash } from "../ui/colors.ts";
import type { Tools } from "./stage-tools.ts";

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
