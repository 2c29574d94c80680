// One sample as a view shows it: with its outlines, and as edits leave it that have no reply yet.
import type { Annotations, Edited } from "./labels.ts";
import type { SampleDetail } from "./protocol.ts";
import { type ObjectShape, readShapes, type Shapes } from "./shapes.ts";

/** A sample with its outlines and keypoints. */
export interface ShownSample extends Omit<SampleDetail, "before"> {
  drawn: Shapes;
  before: (Annotations & { drawn: Shapes }) | null;
}

export function withShapes(sample: SampleDetail, buffers: readonly DataView[]): ShownSample {
  const read = (at: number): Shapes => readShapes(buffers[at], Math.max(sample.width, sample.height), true);
  const before = sample.before && { ...sample.before, drawn: read(sample.before.shapes) };
  return { ...sample, drawn: read(sample.shapes), before };
}

/** The sample as an edit leaves it: the kernel will say the same. */
export function applied(sample: ShownSample, { labels, boxes, sources, shapes = [] }: Edited): ShownSample {
  const objects = new Map<number, ObjectShape>();
  sources.forEach((source, place) => {
    const shape = sample.drawn.objects.get(source);
    if (shape !== undefined) objects.set(place, shape);
  });
  for (const { object, polygons, keypoints } of shapes) {
    const was = objects.get(object) ?? { polygons: [], outlines: [], points: null };
    objects.set(object, { ...was, ...(polygons && { polygons }), ...(keypoints && { points: keypoints }) });
  }
  const { labels: had, boxes: stood, drawn, edited } = sample;
  const before = edited ? sample.before : { labels: had, boxes: stood, drawn };
  return { ...sample, labels, boxes, drawn: { masks: drawn.masks, objects }, edited: true, before };
}
