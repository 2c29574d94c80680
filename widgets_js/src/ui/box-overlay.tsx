// Boxes over an image: class color with a white halo, dashes by class number, clipped exactly as the image is.
import { classColor, classDash } from "./colors.ts";

export interface OverlayBox {
  x: number;
  y: number;
  width: number;
  height: number;
  label: number | null;
}

/** The sample's boxes with their classes; where labels are not one a box, boxes are neutral. */
export function overlayBoxes(boxes: readonly number[], labels: readonly number[]): OverlayBox[] {
  const count = Math.floor(boxes.length / 4);
  const paired = labels.length === count;
  return Array.from({ length: count }, (_, i) => ({
    x: boxes[4 * i] ?? 0,
    y: boxes[4 * i + 1] ?? 0,
    width: boxes[4 * i + 2] ?? 0,
    height: boxes[4 * i + 3] ?? 0,
    label: paired ? (labels[i] ?? null) : null,
  }));
}

interface BoxOverlayProps {
  width: number;
  height: number;
  boxes: readonly OverlayBox[];
  hidden: ReadonlySet<number>;
  /** Side of the square the image is shown in, CSS pixels. */
  side: number;
}

const SMALL = 26;

export function BoxOverlay({ width, height, boxes, hidden, side }: BoxOverlayProps) {
  const shown = boxes.filter((box) => box.label === null || !hidden.has(box.label));
  if (shown.length === 0 || width <= 0 || height <= 0) return null;
  const scale = side / Math.min(width, height);
  return (
    <svg
      class="penstock-overlay"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="xMidYMid slice"
      aria-hidden="true"
    >
      {shown.map((box, i) => (
        <g key={i} class={Math.min(box.width, box.height) * scale < SMALL ? "penstock-small-box" : undefined}>
          <rect class="penstock-halo" x={box.x} y={box.y} width={box.width} height={box.height} />
          <rect
            class="penstock-box"
            x={box.x}
            y={box.y}
            width={box.width}
            height={box.height}
            style={{ stroke: classColor(box.label) }}
            stroke-dasharray={box.label === null ? "none" : classDash(box.label)}
          />
        </g>
      ))}
    </svg>
  );
}
