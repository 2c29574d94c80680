// Draws of the loader's own stream that a page keeps: of the weights, mode and seed it was written with, and no others.
import type { Mode, Ops } from "../../session/protocol.ts";
import { sameWeights } from "../../session/weight-memory.ts";
import type { LabelColumn } from "./label-rows.ts";

/** What penstock/widgets/_page_draws.py writes. */
export interface KeptDraws {
  epochs: Ops["plan.drawn"][1];
  first: number[]; // positions in the pool
  weights: number[];
  mode: Mode;
  seed: number;
}

type Asked = Pick<KeptDraws, "weights" | "mode" | "seed">;

/** Whether the page was written with these; without SAMPLE BY neither weights nor mode matter. */
export function isKept(kept: KeptDraws, { weights, mode, seed }: Asked, hasSampling: boolean): boolean {
  return seed === kept.seed && (!hasSampling || (mode === kept.mode && sameWeights(weights, kept.weights)));
}

export function keptEpochs({ epochs }: KeptDraws, number: number): Ops["plan.drawn"][1] {
  return { ...epochs, unique: epochs.unique.slice(0, number) };
}

/** Instances of each class in the first batches, those that the page has whole; null if it has none. */
export function keptBatches(
  { first }: KeptDraws,
  { batch_size, num_batches }: Pick<Ops["plan.batches"][0], "batch_size" | "num_batches">,
  { pool, draws, labels, numClasses }: { pool: Int32Array; draws: number; labels: LabelColumn; numClasses: number },
): Ops["plan.batches"][1] | null {
  const counts: number[][] = [];
  for (let start = 0; start < Math.min(draws, batch_size * num_batches); start += batch_size) {
    const stop = Math.min(start + batch_size, draws);
    if (stop > first.length) break;
    const found = new Array<number>(numClasses).fill(0);
    for (const position of first.slice(start, stop)) {
      const place = pool[position] as number;
      for (const id of labels.values.subarray(labels.offsets[place], labels.offsets[place + 1]))
        found[id] = (found[id] ?? 0) + 1;
    }
    counts.push(found);
  }
  return counts.length === 0 ? null : { counts };
}
