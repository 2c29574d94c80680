import type { ComponentChildren } from "preact";
import type { ShownSide } from "../session/review-session.ts";
import { ringPath } from "../session/shapes.ts";
import { classColor, classDash } from "../ui/colors.ts";

const MANY = 5;

interface ThumbProps {
  side: ShownSide | null;
  other: ShownSide | null;
  width: number;
  height: number;
  label: string;
  empty: string;
  error: string | null;
}

/** A whole image with its boxes; of many boxes only those that differ from the other side. */
export function ReviewThumb({ side, other, width, height, label, empty, error }: ThumbProps) {
  if (side === null) return <span class="penstock-review-thumb penstock-review-none">{empty}</span>;
  return (
    <span class="penstock-review-thumb" role="img" aria-label={label} title={error ?? undefined}>
      {side.url === null ? <span class="penstock-review-none">{error === null ? "…" : "no image"}</span> : null}
      {side.url === null ? null : <img src={side.url} alt="" draggable={false} />}
      {width > 0 && height > 0 ? (
        <svg viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
          {drawn(side, other)}
        </svg>
      ) : null}
    </span>
  );
}

function drawn(side: ShownSide, other: ShownSide | null): ComponentChildren {
  const boxes = boxesOf(side);
  const known = new Set(other === null ? [] : boxesOf(other).map(({ key }) => key));
  const shown = boxes.length > MANY ? boxes.filter(({ key }) => !known.has(key)) : boxes;
  const outlines = [...side.drawn.objects].flatMap(([index, { polygons, outlines: rings }]) =>
    [...polygons, ...rings].map((ring) => ({ ring, label: side.labels[index] ?? null })),
  );
  const masks = side.drawn.masks.flatMap(({ label, rings }) => rings.map((ring) => ({ ring, label })));
  return (
    <>
      {[...masks, ...outlines].map(({ ring, label }, i) => (
        <path
          key={`ring ${i}`}
          class="penstock-review-ring"
          d={ringPath([ring], (x, y) => `${x} ${y}`)}
          style={{ stroke: classColor(label), fill: classColor(label) }}
        />
      ))}
      {shown.map(({ x, y, width, height, key }) => (
        <rect key={`halo ${key}`} class="penstock-review-halo" x={x} y={y} width={width} height={height} />
      ))}
      {shown.map(({ x, y, width, height, label, key }) => (
        <rect
          key={key}
          class="penstock-review-box"
          x={x}
          y={y}
          width={width}
          height={height}
          stroke-dasharray={label === null ? "none" : classDash(label)}
          style={{ stroke: classColor(label) }}
        />
      ))}
    </>
  );
}

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
  label: number | null;
  key: string;
}

function boxesOf({ boxes, labels }: ShownSide): Box[] {
  const count = boxes.length / 4;
  const paired = labels.length === count;
  return Array.from({ length: count }, (_, i) => {
    const [x = 0, y = 0, width = 0, height = 0] = boxes.slice(4 * i, 4 * i + 4);
    const label = paired ? (labels[i] ?? null) : null;
    return { x, y, width, height, label, key: `${label}:${boxes.slice(4 * i, 4 * i + 4).join()}` };
  });
}
