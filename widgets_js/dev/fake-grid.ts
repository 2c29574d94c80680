// Filter, order and conditions of the scripted kernel: a few lines in place of penstock's own.
import type { ConditionInfo, GridFilter, GridSort } from "../src/session/protocol.ts";

interface Sample {
  labels: number[];
  boxes: number[];
}

export function isShown(filter: GridFilter, labels: readonly number[], state: (name: string) => boolean): boolean {
  const has = (index: number): boolean => labels.includes(index);
  const { classes, how } = filter;
  const fits =
    classes.length === 0 ||
    (how === "all" ? classes.every(has) : how === "any" ? classes.some(has) : !classes.some(has));
  return fits && filter.states.every(state);
}

/** What samples are ordered by: numbers, the greatest last. */
export function sortKey(sort: GridSort, row: number, { labels, boxes }: Sample): number {
  if (sort === "labels") return labels.length;
  if (sort === "box_area") return Math.max(0, ...boxes.map((w, i) => (i % 4 === 2 ? w * (boxes[i + 1] ?? 0) : 0)));
  if (sort === "tensor:score") return (row * 7919) % 1000;
  return row;
}

/** Words between WHERE and what follows it, split at AND: enough for a page without parentheses. */
export function conditionsOf(text: string): ConditionInfo[] {
  const where = / where (.*?)(?= sample by | limit | order by |$)/.exec(text);
  if (where === null) return [];
  let from = where.index + " where ".length;
  return (where[1] ?? "").split(" and ").map((condition) => {
    const found = { text: condition, from, to: from + condition.length };
    from = found.to + " and ".length;
    return found;
  });
}

export function withoutCondition(text: string, number: number): string {
  const all = conditionsOf(text);
  const left = all.filter((_, i) => i !== number).map((one) => one.text);
  const [start, end] = [all[0]?.from ?? 0, all.at(-1)?.to ?? 0];
  const kept = left.length === 0 ? "" : ` where ${left.join(" and ")}`;
  return text.slice(0, start - " where ".length) + kept + text.slice(end);
}

export function withCondition(text: string, condition: string): string {
  const last = conditionsOf(text).at(-1);
  if (last !== undefined) return `${text.slice(0, last.to)} and ${condition}${text.slice(last.to)}`;
  return text.replace("select *", `select * where ${condition}`);
}
