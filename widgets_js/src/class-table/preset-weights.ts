// Presets: what they are called, what they do and where they come from. With a kernel it writes them for every class;
// without one they set the sliders at hand.
import type { ClauseInfo, PresetName } from "../session/protocol.ts";
import { formatWeight } from "../session/text-binding.ts";
import { countText, pluralText, shareText } from "../ui/number-text.ts";
import { PRESET_LABELS } from "./preset-labels.ts";
import { roundWeight } from "./slider-scale.ts";

export interface PresetInfo {
  readonly name: PresetName;
  readonly label: string;
  readonly formula: string;
  readonly source: string;
  readonly about: string;
  readonly parameter?: {
    readonly symbol: string;
    readonly usual: number;
    readonly least: number;
    readonly most: number;
  };
}

export const PRESETS: readonly PresetInfo[] = [
  {
    name: "raw",
    label: PRESET_LABELS.raw,
    formula: "every weight 1",
    source: "",
    about: "the same weight for every sample",
  },
  {
    name: "balanced",
    label: PRESET_LABELS.balanced,
    formula: "most frequent ÷ count",
    source: "Buda 2018",
    about: "inverse class frequency: Buda, Maki and Mazurowski, 2018",
  },
  {
    name: "square_root",
    label: PRESET_LABELS.square_root,
    formula: "√ of balanced",
    source: "Mahajan 2018",
    about: "inverse square root of class frequency: Mahajan et al., 2018",
  },
  {
    name: "effective_number",
    label: PRESET_LABELS.effective_number,
    formula: "1 ÷ (1 − βⁿ)",
    source: "Cui 2019",
    about: "inverse effective number of samples: Cui et al., 2019",
    parameter: { symbol: "β", usual: 0.999, least: 0, most: 0.999999 },
  },
  {
    name: "repeat_factor",
    label: PRESET_LABELS.repeat_factor,
    formula: "√(t ÷ share)",
    source: "Gupta 2019",
    about: "classes in less than a share t of the samples are repeated: Gupta, Dollar and Girshick, 2019",
    parameter: { symbol: "t", usual: 0.001, least: 1e-9, most: 1 },
  },
];

/** Weights of the clauses that name a class, 1 for the commonest of all; other clauses keep theirs. */
export function presetWeights(
  preset: PresetName,
  parameter: number | undefined,
  clauses: readonly ClauseInfo[],
  counts: ArrayLike<number>,
  numRows: number,
): number[] {
  const most = Array.from(counts).reduce((found, count) => Math.max(found, count), 1);
  return clauses.map((clause) => {
    const count = clause.class_index === null ? 0 : (counts[clause.class_index] ?? 0);
    if (count === 0) return clause.weight;
    return roundWeight(LAWS[preset](count, most, parameter, numRows));
  });
}

type Law = (count: number, most: number, parameter: number | undefined, numRows: number) => number;

const LAWS: Readonly<Record<PresetName, Law>> = {
  raw: () => 1,
  balanced: (count, most) => most / count,
  square_root: (count, most) => Math.sqrt(most / count),
  effective_number: (count, most, beta = 0.999) =>
    beta === 0 ? 1 : Math.expm1(most * Math.log(beta)) / Math.expm1(count * Math.log(beta)),
  repeat_factor: (count, _most, threshold = 0.001, numRows) => Math.max(1, Math.sqrt((threshold * numRows) / count)),
};

export interface Done {
  readonly preset: PresetInfo;
  readonly parameter: number | undefined;
  readonly weights: readonly number[]; // of the clauses that name a class
  readonly locked: number; // how many of them a lock kept
  /** The class in the fewest samples of the pool, and in what share of them. */
  readonly rarest: { readonly name: string; readonly share: number } | null;
}

/** In one line what a preset did, or why it changed nothing. */
export function doneText({ preset, parameter, weights, locked, rarest }: Done): string {
  const { name, label } = preset;
  const title = label.charAt(0).toUpperCase() + label.slice(1);
  const kept = locked > 0 ? `, ${countText(locked)} locked` : "";
  if (weights.some((weight) => weight !== 1)) {
    const [least, most] = [Math.min(...weights), Math.max(...weights)].map(formatWeight);
    const range = least === most ? `at ${least}` : `from ${least} to ${most}`;
    return `${title}: ${pluralText(weights.length, "weight")} ${range}${kept}`;
  }
  if (name === "raw") return `Raw: every weight is 1${kept}`;
  if (name === "repeat_factor" && rarest !== null) {
    const found = `${rarest.name}, the rarest class, is in ${shareText(rarest.share)} of the samples`;
    return `Nothing to repeat at t = ${parameter}: ${found}. Set t above ${tText(rarest.share)}`;
  }
  if (name === "effective_number" && parameter === 0) return "Nothing to change: β = 0 leaves the classes as they are";
  if (name === "effective_number")
    return `Nothing to change at β = ${parameter}: the counts are too large. Set β nearer to 1`;
  return "Nothing to change: every class is in the same number of samples";
}

/** Three digits, rounded up, so that what is above it is above the share as well. */
function tText(share: number): string {
  const unit = 10 ** (Math.floor(Math.log10(share)) - 2);
  return formatWeight(Math.ceil(share / unit - 1e-9) * unit);
}
