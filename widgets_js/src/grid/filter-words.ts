// Filters in words: chips above the grid, and the sentence of a grid that nothing is left in.
import type { GridFilter, SampleState } from "../session/protocol.ts";
import type { Store } from "../session/store.ts";

export interface Chip {
  key: string;
  kind: "where" | "class" | "state";
  text: string;
  /** The class whose color the chip has. */
  index?: number;
  remove: () => Promise<void>;
}

export const STATE_WORDS: Record<SampleState, string> = {
  edited: "edited",
  selected: "selected",
  unlabeled: "no label",
  unreadable: "unreadable image",
};

const PHRASES: Record<SampleState, string> = {
  edited: "is edited",
  selected: "is selected",
  unlabeled: "has no label",
  unreadable: "has an unreadable image",
};

/** One chip for each condition of WHERE, each class and each state. */
export function chipsOf(store: Store): Chip[] {
  const { actions } = store;
  const filter = store.filter.value;
  const conditions = store.isTable.value ? [] : (store.query.value?.conditions ?? []);
  return [
    ...conditions.map(({ text }, number): Chip => {
      return { key: `where ${number} ${text}`, kind: "where", text, remove: () => actions.dropCondition(number) };
    }),
    ...filter.classes.map((index): Chip => {
      const text = store.classNames.value[index] ?? `class ${index}`;
      const remove = (): Promise<void> => actions.filterClass(index, { add: true });
      return { key: `class ${index}`, kind: "class", text, index, remove };
    }),
    ...filter.states.map((state): Chip => {
      const remove = (): Promise<void> => actions.filterState(state, false);
      return { key: `state ${state}`, kind: "state", text: STATE_WORDS[state], remove };
    }),
  ];
}

/** "has Ring or Cross and is edited": what a sample must be to be shown. */
export function filterInWords({ classes, how, states }: GridFilter, names: readonly string[]): string {
  const named = classes.map((index) => names[index] ?? `class ${index}`);
  const joined = named.length > 4 ? `${named.slice(0, 3).join(", ")} … (${named.length} classes)` : null;
  const has =
    how === "not"
      ? `does not have ${joined ?? named.join(" or ")}`
      : `has ${joined ?? named.join(how === "all" ? " and " : " or ")}`;
  return [...(named.length > 0 ? [has] : []), ...states.map((state) => PHRASES[state])].join(" and ");
}
