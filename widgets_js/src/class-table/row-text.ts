import { countText, timesText } from "../ui/number-text.ts";
import type { BarSource } from "./bar-source.ts";
import type { SliderRow } from "./slider-rows.ts";

/** The figures of a row, written out. */
export function figuresText(row: SliderRow, bars: BarSource, drawn: readonly number[] | null): string {
  const { raw, expected, low, high } = bars.histogram;
  const before = raw[row.bar] ?? 0;
  const after = expected[row.bar] ?? 0;
  const from = low[row.bar] ?? 0;
  const to = high[row.bar] ?? 0;
  const counted = row.kind === "class" ? "" : " samples";
  const past = row.classIndex === null ? undefined : bars.past?.[row.classIndex];
  const when = past === undefined ? "per epoch" : "by the end of this epoch";
  const parts = [`${row.label}: ${countText(before)}${counted} → ${countText(after)} ${when}`];
  if (past !== undefined) parts.push(`${countText(past)} of them drawn`);
  if (to - from >= 0.05) parts.push(`95 % of epochs: ${countText(from)} to ${countText(to)}`);
  const first = row.classIndex === null ? undefined : drawn?.[row.classIndex];
  if (first !== undefined) parts.push(`first epoch: ${countText(first)}`);
  if (before > 0) parts.push(`each seen ${timesText(after / before)}`);
  return parts.join("; ");
}
