// Where the bars of a profile are drawn, and how they read.
import type { ColumnProfile } from "../session/protocol.ts";
import { countText, pluralText, shareText } from "../ui/number-text.ts";

export interface BarPlace {
  x: number;
  width: number;
  raw: number; // height, pixels
  pool: number;
  special: boolean;
}

export const CHART_HEIGHT = 38;
const TEXT = 14; // above the segments of values
const GAP = 5;
const SPECIAL = 7;
const THINNEST = 2;

/** A histogram has bars of one width, special ones after a gap; values are segments as wide as they are frequent. */
export function barPlaces(profile: ColumnProfile, width: number): BarPlace[] {
  return isHistogram(profile) ? histogram(profile, width) : segments(profile, width);
}

export function isHistogram(profile: ColumnProfile): boolean {
  return profile.kind !== "category";
}

function histogram({ bars }: ColumnProfile, width: number): BarPlace[] {
  const plain = bars.filter(({ special }) => special === null).length;
  const special = bars.length - plain;
  const room = width - (special > 0 ? special * SPECIAL + (plain > 0 ? GAP : 0) : 0);
  const each = plain > 0 ? Math.min(room / plain, 24) : 0;
  const most = Math.max(1, ...bars.map(({ raw }) => raw));
  return bars.map(({ raw, pool }, i) => ({
    x: i < plain ? i * each : width - (bars.length - i) * SPECIAL,
    width: i < plain ? Math.max(1, each - (each > 3 ? 1 : 0)) : SPECIAL - 1,
    raw: height(raw, most, CHART_HEIGHT),
    pool: height(pool, most, CHART_HEIGHT),
    special: i >= plain,
  }));
}

function segments({ bars, other }: ColumnProfile, width: number): BarPlace[] {
  const total = Math.max(1, bars.reduce((sum, { raw }) => sum + raw, 0) + other.raw);
  const counted = bars.length + (other.raw > 0 ? 1 : 0);
  const share = Math.max(0, width - counted * THINNEST) / total;
  let x = 0;
  return bars.map(({ raw, pool, special }) => {
    const place = {
      x,
      width: THINNEST + raw * share - (bars.length > 1 ? 1 : 0),
      raw: CHART_HEIGHT - TEXT,
      pool: height(pool, Math.max(1, raw), CHART_HEIGHT - TEXT),
      special: special !== null && special !== "empty",
    };
    x += THINNEST + raw * share;
    return place;
  });
}

/** What is there is seen, however little it is. */
function height(count: number, most: number, room: number): number {
  return count === 0 ? 0 : Math.max(1.5, (count / most) * room);
}

/** The bar under the pointer, or the nearest one; null without bars, and past the last segment. */
export function barAt(places: readonly BarPlace[], x: number): number | null {
  const found = places.findIndex((place) => x < place.x + place.width + 1);
  if (found >= 0) return found;
  const last = places[places.length - 1];
  return last !== undefined && x < last.x + last.width + 4 ? places.length - 1 : null;
}

/** "10 – 14: 512 of 1,000": samples of the pool among all; one number where they are equal. */
export function barText(profile: ColumnProfile, first: number, last = first): string {
  const bars = profile.bars.slice(first, last + 1);
  const [one, end] = [bars[0], bars[bars.length - 1]];
  if (one === undefined || end === undefined) return "";
  const sum = (key: "raw" | "pool") => bars.reduce((total, bar) => total + bar[key], 0);
  const [pool, raw] = [sum("pool"), sum("raw")];
  return `${rangeLabel(one.label, end.label)}: ${pool === raw ? countText(raw) : `${countText(pool)} of ${countText(raw)}`}`;
}

function rangeLabel(first: string, last: string): string {
  if (first === last) return first;
  return `${first.split(" – ")[0]} – ${last.split(" – ").at(-1)}`;
}

/** What the line under the bars says while nothing is pointed at. */
export function summary(profile: ColumnProfile): { low: string; high: string; note: string; warned: boolean } {
  const missing = profile.bars.find(({ special }) => special === "missing")?.raw ?? 0;
  const note = missing > 0 ? `${wholeShare(missing / Math.max(1, profile.num_raw))} missing` : "";
  const { kind, low, high, distinct } = profile;
  if (kind === "presence")
    return { low: profile.bars.length === 0 ? "none missing" : "", high: "", note, warned: note !== "" };
  if (kind === "category")
    return { low: distinct === null ? "" : pluralText(distinct, "value"), high: "", note, warned: note !== "" };
  const unit = kind === "length" ? " per sample" : "";
  if (`${low}${high}`.length > NARROW && DAY.test(low) && DAY.test(high))
    return { low: low.slice(0, 7), high: low === high ? "" : high.slice(0, 7), note, warned: note !== "" };
  return { low, high: low === high ? "" : `${high}${unit}`, note, warned: note !== "" };
}

const NARROW = 16; // letters that have room under a chart
const DAY = /^\d{4}-\d{2}-\d{2}/;

/** 5% rather than 5.2%: a column is narrow. */
function wholeShare(share: number): string {
  return share < 0.01 || share > 0.99 ? shareText(share) : `${Math.round(100 * share)}%`;
}

/** All that is known, for a tooltip. */
export function factsText(profile: ColumnProfile): string {
  const facts = profile.facts.map(({ name, value }) => `${name} ${value}`);
  const { note, low } = summary(profile);
  return [...(profile.kind === "category" ? [low] : facts), note].filter((text) => text !== "").join(", ");
}

/** Bars that one condition can select: from `from` to `to`, as far as each can be selected. */
export function selectable(profile: ColumnProfile, from: number, to: number): [number, number] | null {
  const able = (i: number) => profile.selectable[i] === true;
  if (!able(from)) return null;
  const step = to < from ? -1 : 1;
  let end = from;
  const joins = (i: number) => able(i) && profile.bars[i]?.special === null && profile.bars[from]?.special === null;
  while (end !== to && joins(end + step)) end += step;
  return [Math.min(from, end), Math.max(from, end)];
}
