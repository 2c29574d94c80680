// What the grid leaves out, as a value: the kernel keeps it, gestures make the next one.
import type { GridFilter, SampleState } from "./protocol.ts";

export const EVERYTHING: GridFilter = { classes: [], how: "any", states: [] };
export const STATES: readonly SampleState[] = ["edited", "selected", "unlabeled", "unreadable"];

export function isFiltered({ classes, states }: GridFilter): boolean {
  return classes.length > 0 || states.length > 0;
}

export function sameFilter(a: GridFilter, b: GridFilter): boolean {
  return a.how === b.how && sameList(a.classes, b.classes) && sameList(a.states, b.states);
}

/** A plain click asks for one class; with `add` it joins the others, or leaves them. */
export function withClass(filter: GridFilter, index: number | null, add: boolean): GridFilter {
  if (index === null) return { ...filter, classes: [], how: "any" };
  if (!add) return { ...filter, classes: [index], how: "any" };
  const had = filter.classes.includes(index);
  const classes = had ? filter.classes.filter((one) => one !== index) : [...filter.classes, index];
  return { ...filter, classes, how: classes.length === 0 ? "any" : filter.how };
}

export function withState(filter: GridFilter, state: SampleState, on: boolean): GridFilter {
  return { ...filter, states: STATES.filter((one) => (one === state ? on : filter.states.includes(one))) };
}

/** The one class that is shown, where it is one. */
export function onlyClass({ classes, how }: GridFilter): number | null {
  return classes.length === 1 && how !== "not" ? (classes[0] ?? null) : null;
}

function sameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i]);
}
