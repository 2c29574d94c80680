// Outlines, masks and keypoints over the image, and what they are edited by: vertices, middles of edges, keypoints.
import type { Box } from "../session/box-geometry.ts";
import type { Skeleton } from "../session/protocol.ts";
import { middleOf, type ObjectShape, type Point, ringPath, type Shapes, samePoint } from "../session/shapes.ts";
import { classColor, classDash } from "../ui/colors.ts";

const MIDDLE_FROM = 28; // pixels of an edge that has a handle in its middle

/** From pixels of the image to those of the stage. */
export type Put = (x: number, y: number) => { x: number; y: number };

const pathOf = (rings: readonly number[][], put: Put): string =>
  ringPath(rings, (x, y) => {
    const at = put(x, y);
    return `${at.x.toFixed(1)} ${at.y.toFixed(1)}`;
  });

export function MaskLayer({ masks, hidden, put }: { masks: Shapes["masks"]; hidden: ReadonlySet<number>; put: Put }) {
  return (
    <>
      {masks.map(({ label, rings }, i) =>
        label !== null && hidden.has(label) ? null : (
          <Outline key={i} d={pathOf(rings, put)} label={label} width={1.5} />
        ),
      )}
    </>
  );
}

function Outline({ d, label, width }: { d: string; label: number | null; width: number }) {
  const color = classColor(label);
  return (
    <>
      <path class="penstock-halo" d={d} stroke-width={width + 2} />
      <path
        class="penstock-outline"
        d={d}
        fill-rule="evenodd"
        stroke-width={width}
        stroke-dasharray={label === null ? "none" : classDash(label)}
        style={{ stroke: color, fill: color }}
      />
    </>
  );
}

interface ShapeProps {
  box: Box;
  chosen: boolean;
  skeleton: Skeleton | undefined;
  put: Put;
}

/** One object: its outline, and its skeleton over it. Keypoints that are not labeled show on the chosen object alone. */
export function ObjectLayer({ box, chosen, skeleton, put }: ShapeProps) {
  const { shape, label } = box;
  if (shape === undefined) return null;
  const rings = [...shape.polygons, ...shape.outlines];
  return (
    <>
      {rings.length === 0 ? null : <Outline d={pathOf(rings, put)} label={label} width={chosen ? 2.5 : 2} />}
      {shape.points === null ? null : <Keypoints {...{ shape, label, chosen, skeleton, put }} />}
    </>
  );
}

interface KeypointsProps {
  shape: ObjectShape;
  label: number | null;
  chosen: boolean;
  skeleton: Skeleton | undefined;
  put: Put;
}

function Keypoints({ shape, label, chosen, skeleton, put }: KeypointsProps) {
  const points = shape.points ?? [];
  const at = (k: number) => put(points[3 * k] ?? 0, points[3 * k + 1] ?? 0);
  const seen = (k: number): number => points[3 * k + 2] ?? 0;
  const bones = (skeleton?.edges ?? []).filter(([one, other]) => seen(one) > 0 && seen(other) > 0);
  const color = classColor(label);
  const d = bones
    .map(([one, other]) => {
      const [a, b] = [at(one), at(other)];
      return `M${a.x.toFixed(1)} ${a.y.toFixed(1)}L${b.x.toFixed(1)} ${b.y.toFixed(1)}`;
    })
    .join("");
  const radius = chosen ? 5 : 3.5;
  return (
    <>
      <path class="penstock-halo" d={d} stroke-width={4} />
      <path class="penstock-bones" d={d} stroke-width={2} style={{ stroke: color }} />
      {Array.from({ length: points.length / 3 }, (_, k) => {
        const place = at(k);
        if (seen(k) === 0 && (!chosen || (points[3 * k] === 0 && points[3 * k + 1] === 0))) return null;
        return (
          <circle
            key={k}
            class="penstock-keypoint"
            data-seen={seen(k)}
            cx={place.x}
            cy={place.y}
            r={radius}
            style={seen(k) === 2 ? { fill: color } : { stroke: color }}
          />
        );
      })}
    </>
  );
}

interface HandlesProps {
  shape: ObjectShape;
  point: Point | null;
  skeleton: Skeleton | undefined;
  put: Put;
}

/** What the pointer takes hold of, on the chosen object. */
export function PointHandles({ shape, point, skeleton, put }: HandlesProps) {
  const points = shape.points ?? [];
  return (
    <>
      {shape.polygons.map((flat, ring) =>
        Array.from({ length: flat.length / 2 }, (_, at) => <Middle key={at} {...{ flat, ring, at, put }} />),
      )}
      {shape.polygons.map((flat, ring) =>
        Array.from({ length: flat.length / 2 }, (_, at) => {
          const place = put(flat[2 * at] ?? 0, flat[2 * at + 1] ?? 0);
          const chosen = samePoint(point, { ring, at });
          return (
            <circle
              key={at}
              class={`penstock-handle penstock-vertex${chosen ? " penstock-chosen" : ""}`}
              data-vertex={`${ring}:${at}`}
              cx={place.x}
              cy={place.y}
              r={chosen ? 5.5 : 3.5}
            />
          );
        }),
      )}
      {Array.from({ length: points.length / 3 }, (_, keypoint) => {
        const [x = 0, y = 0, seen = 0] = points.slice(3 * keypoint, 3 * keypoint + 3);
        if (seen === 0 && x === 0 && y === 0) return null;
        const place = put(x, y);
        const chosen = samePoint(point, { keypoint });
        return (
          <circle
            key={keypoint}
            class={`penstock-handle penstock-grip${chosen ? " penstock-chosen" : ""}`}
            data-keypoint={keypoint}
            cx={place.x}
            cy={place.y}
            r={8}
          >
            <title>{skeleton?.names[keypoint] ?? `keypoint ${keypoint + 1}`}</title>
          </circle>
        );
      })}
    </>
  );
}

function Middle({ flat, ring, at, put }: { flat: readonly number[]; ring: number; at: number; put: Put }) {
  const next = (2 * at + 2) % flat.length;
  const [a, b] = [put(flat[2 * at] ?? 0, flat[2 * at + 1] ?? 0), put(flat[next] ?? 0, flat[next + 1] ?? 0)];
  if (Math.hypot(a.x - b.x, a.y - b.y) < MIDDLE_FROM) return null;
  const middle = middleOf(flat, at);
  const place = put(middle.x, middle.y);
  return <circle class="penstock-handle penstock-middle" data-edge={`${ring}:${at}`} cx={place.x} cy={place.y} r={3} />;
}
