// Presets on the sliders at hand, for pages without a kernel. With one the kernel writes them for every class.
import type { ClauseInfo } from "../session/protocol.ts";
import { roundWeight } from "./slider-scale.ts";

export type Preset = "raw" | "balanced" | "square_root" | "effective_number" | "repeat_factor";

export interface PresetInfo {
  readonly name: Preset;
  readonly label: string;
  readonly about: string;
  readonly parameter?: { readonly symbol: string; readonly usual: number; readonly most: number };
}

export const PRESETS: readonly PresetInfo[] = [
  { name: "raw", label: "raw", about: "the same weight for every sample" },
  { name: "balanced", label: "balanced", about: "inverse class frequency (Buda et al., 2018)" },
  { name: "square_root", label: "√ frequency", about: "inverse square root of class frequency (Mahajan et al., 2018)" },
  {
    name: "effective_number",
    label: "effective number",
    about: "inverse effective number of samples (Cui et al., 2019)",
    parameter: { symbol: "β", usual: 0.999, most: 0.999999 },
  },
  {
    name: "repeat_factor",
    label: "repeat factor",
    about: "classes rarer than t are repeated (Gupta et al., 2019)",
    parameter: { symbol: "t", usual: 0.001, most: 1 },
  },
];

/** Weights of the clauses that name a class, 1 for the commonest of them; other clauses keep theirs. */
export function presetWeights(
  preset: Preset,
  parameter: number | undefined,
  clauses: readonly ClauseInfo[],
  counts: ArrayLike<number>,
  numRows: number,
): number[] {
  const most = Math.max(1, ...Array.from(counts));
  return clauses.map((clause) => {
    const count = clause.class_index === null ? 0 : (counts[clause.class_index] ?? 0);
    if (count === 0) return clause.weight;
    return roundWeight(LAWS[preset](count, most, parameter, numRows));
  });
}

type Law = (count: number, most: number, parameter: number | undefined, numRows: number) => number;

const LAWS: Readonly<Record<Preset, Law>> = {
  raw: () => 1,
  balanced: (count, most) => most / count,
  square_root: (count, most) => Math.sqrt(most / count),
  effective_number: (count, most, beta = 0.999) =>
    Math.expm1(most * Math.log(beta)) / Math.expm1(count * Math.log(beta)),
  repeat_factor: (count, _most, threshold = 0.001, numRows) => Math.max(1, Math.sqrt((threshold * numRows) / count)),
};
