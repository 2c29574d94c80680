// The class table as tests find their way in it.
import { queryState, type Scenario, settled, shown } from "../../dev/scripted-kernel.ts";
import { type Mounted, type } from "../charts/mounted.tsx";

export const WEIGHTS = { weights: { 5: 20, 4: 8, 3: 6 } };
// Instances of the scripted rows: 180 + 140 + 60 + 12 + 11 + 9 circles, and so on by hand.
export const RAW = {
  Circle: 412,
  Square: 60 + 60 + 68 + 20,
  Triangle: 60 + 51 + 20,
  Star: 34 + 12 + 8,
  Ring: 31,
  Cross: 12,
};

export const row = (name: string) => `[data-testid=penstock-class-row][data-class='${name}']`;
export const slider = (name: string) => `[data-testid=weight-slider][data-class='${name}']`;
export const field = (name: string) => `[data-testid=weight-number][data-class='${name}']`;
export const bar = (name: string) => `[data-testid=bar][data-class='${name}']`;
export const order = ({ all }: Mounted) => all("[data-testid=penstock-class-row]").map((one) => one.dataset.class);
export const counts = ({ find }: Mounted, name: string) => find(`${row(name)} .penstock-text-cell`).textContent;
export const sentence = ({ find }: Mounted) => find("[data-testid=penstock-sentence]").textContent ?? "";

/** The kernel's answers to the last change of clauses and to the run after it: the query that now stands. */
export async function answer({ model }: Mounted, weights: Record<number, number>, more: Scenario = {}): Promise<void> {
  const { query, buffers } = queryState({ ...more, weights });
  const last = (what: string) => model.sent.findLast(({ op }) => op.startsWith(what))?.id ?? "";
  model.reply(last("clause."), { text: query.text, reference: "King and Zeng, 2001" });
  await settled();
  model.reply(last("query.run"), { ...shown(query), history: [] }, buffers);
  await settled();
}

export async function sortBy({ find }: Mounted, value: string): Promise<void> {
  const sort = find<HTMLSelectElement>("[data-testid=sort]");
  sort.value = value;
  sort.dispatchEvent(new Event("change", { bubbles: true }));
  await settled();
}

export async function search({ find }: Mounted, words: string): Promise<void> {
  type(find<HTMLInputElement>("[data-testid=penstock-find-class]"), words);
  await settled();
}
