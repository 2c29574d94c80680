import { countText, pluralText } from "../ui/number-text.ts";
import type { Part, Told } from "../ui/strip-parts.tsx";

/** `counts` = instances of each class, batch by batch; `about` = the class to look for. */
export function batchesText(
  counts: readonly (readonly number[])[],
  size: number,
  about: { readonly index: number; readonly name: string } | null,
  stale: boolean,
): Told {
  const headline = `${pluralText(counts.length, "batch", "batches")} of ${countText(size)}`;
  const first = stale ? "for the weights before this change" : "as the exported loader will draw them";
  if (about === null) return { headline, sentence: [`${first}.`] };
  const holding = counts.filter((batch) => (batch[about.index] ?? 0) > 0).length;
  const held: Part[] =
    holding === counts.length
      ? ["every one contains "]
      : holding === 0
        ? ["none contains "]
        : [{ figure: countText(holding) }, holding === 1 ? " contains " : " contain "];
  return { headline, sentence: [`${first}; `, ...held, `${about.name}.`] };
}
