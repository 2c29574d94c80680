// Classes that moved though nobody moved them: what the sentence under the table tells.
import type { Unit } from "../session/protocol.ts";
import type { Histogram } from "../statistics/histogram.ts";
import { carrier, type Lift, type LiftRequest } from "../statistics/lift.ts";

export interface Moved {
  readonly classIndex: number;
  readonly from: number;
  readonly to: number;
  readonly by: number | null; // the clause that carried it
}

export interface Unasked {
  readonly told: readonly Moved[];
  readonly more: number;
  readonly others: number; // draws of a row no clause names, as counts are against raw; NaN: there are none
}

const TOLD = 2;

/** Against raw: the classes that moved most beyond what all rows without a clause did, in draws. */
export function movedUnasked(request: LiftRequest, lift: Lift, unit: Unit): Unasked {
  const { raw, expected } = request.histogram;
  const beyond = (c: number): number => Math.abs((expected[c] ?? 0) - (raw[c] ?? 0) * lift.common);
  const classes = lift.carried.map(({ classIndex }) => classIndex).sort((a, b) => beyond(b) - beyond(a));
  const told = classes.slice(0, TOLD).map((c) => ({
    classIndex: c,
    from: raw[c] ?? 0,
    to: expected[c] ?? 0,
    by: carrier(request, lift, c, unit),
  }));
  return { told, more: classes.length - told.length, others: lift.others };
}

export interface Drag {
  readonly own: { from: number; to: number } | null;
  readonly most: { classIndex: number; from: number; to: number } | null; // the class that moved most against the others
  readonly others: number;
}

/** Against the figures before a gesture. */
export function movedByDrag({ expected, raw }: Histogram, before: Float64Array, classIndex: number | null): Drag {
  const ratios: { c: number; ratio: number }[] = [];
  for (let c = 0; c < raw.length; c++) {
    const was = before[c] ?? 0;
    if (c !== classIndex && was > 0) ratios.push({ c, ratio: (expected[c] ?? 0) / was });
  }
  const sorted = ratios.map(({ ratio }) => ratio).sort((a, b) => a - b);
  const others = sorted[sorted.length >> 1] ?? Number.NaN;
  const away = (ratio: number): number => Math.abs(Math.log(Math.max(ratio, 1e-9) / others));
  const first = ratios.reduce<{ c: number; ratio: number } | null>(
    (best, one) => (best === null || away(one.ratio) > away(best.ratio) ? one : best),
    null,
  );
  const told = first !== null && others > 0 && away(first.ratio) >= Math.log(1.1) ? first.c : null;
  return {
    own: classIndex === null ? null : { from: before[classIndex] ?? 0, to: expected[classIndex] ?? 0 },
    most: told === null ? null : { classIndex: told, from: before[told] ?? 0, to: expected[told] ?? 0 },
    others,
  };
}
