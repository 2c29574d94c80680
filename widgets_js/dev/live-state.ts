// Training as the kernel tells of it, for tests and the development page.
import type { LiveState } from "../src/session/protocol.ts";

const CLAUSES = [
  { label: "Cross", class_index: 5 },
  { label: "Ring", class_index: 4 },
  { label: "Star", class_index: 3 },
  { label: "everything else", class_index: null },
];

/** Three epochs of 938 batches of 64: Ring is raised, then Cross, Star, and Cross again at epoch 3, batch 412. */
export function liveState(change: Partial<LiveState> = {}): LiveState {
  const draws = 938 * 64;
  const at = (epoch: number, batch: number): number => (epoch - 1) * draws + (batch - 1) * 64;
  const entries = [
    { start: 0, weights: [null, null, null, 1] },
    { start: at(1, 300), weights: [null, 2, null, 1] },
    { start: at(1, 610), weights: [4, 2, null, 1] },
    { start: at(2, 150), weights: [4, 8, null, 1] },
    { start: at(2, 420), weights: [4, 8, 6, 1] },
    { start: at(2, 700), weights: [12, 8, 6, 1] },
    { start: at(3, 412), weights: [20, 8, 6, 1] },
  ];
  return {
    loader: 1,
    state: "training",
    follows: true,
    why: null,
    when: "next_batch",
    epoch: 2,
    batch: 412,
    num_batches: 938,
    position: at(3, 413),
    draws,
    reported: { name: "loss", value: 0.4134 },
    clauses: CLAUSES,
    entries,
    num_entries: entries.length,
    drawn: null,
    seen: [],
    num_seen: null,
    promise: null,
    ...change,
  };
}
