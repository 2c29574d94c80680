import type { GridSort } from "../session/protocol.ts";
import type { Session } from "../session/session.ts";
import { signalColumn } from "../session/signals.ts";
import { focusable } from "../ui/focus.ts";

interface Order {
  sort: GridSort;
  descending: boolean;
  words: string;
}

const BY_QUERY: readonly Order[] = [
  { sort: "query", descending: false, words: "as queried" },
  { sort: "query", descending: true, words: "as queried, reversed" },
  { sort: "row", descending: false, words: "row" },
  { sort: "row", descending: true, words: "last row first" },
];
const BY_CONTENT: readonly Order[] = [
  { sort: "labels", descending: true, words: "most labels" },
  { sort: "labels", descending: false, words: "fewest labels" },
  { sort: "box_area", descending: true, words: "largest box" },
  { sort: "box_area", descending: false, words: "smallest box" },
  { sort: "image_size", descending: true, words: "largest image" },
  { sort: "image_size", descending: false, words: "smallest image" },
];
const BY_SAMPLING: readonly Order[] = [
  { sort: "drawn", descending: true, words: "drawn most often" },
  { sort: "drawn", descending: false, words: "drawn least often" },
  { sort: "weight", descending: true, words: "highest weight" },
  { sort: "weight", descending: false, words: "lowest weight" },
];

/** What the samples are ordered by: the query, what they hold, how they are drawn, any scalar tensor. */
export function GridSortMenu({ session }: { session: Session }) {
  const { store, grid } = session;
  const dataset = store.dataset.value;
  const content = BY_CONTENT.filter(
    ({ sort }) =>
      (sort !== "labels" || dataset?.label_tensor != null) &&
      (sort !== "box_area" || dataset?.box_tensor != null) &&
      (sort !== "image_size" || dataset?.image_tensor != null),
  );
  const values = (dataset?.scalar_tensors ?? []).flatMap((name) => both(`tensor:${name}`, name));
  const signals = (dataset?.signals?.names ?? []).flatMap((name) => both(`column:${signalColumn(name)}`, name, true));
  const sorted = grid.sort.value;
  const column =
    sorted.startsWith("column:") && !signals.some(({ sort }) => sort === sorted)
      ? both(sorted, sorted.slice("column:".length))
      : [];
  const groups: [string, readonly Order[]][] = [
    ["order", BY_QUERY],
    ["labels and images", content],
    ["sampling, per epoch", BY_SAMPLING],
    ["reported by training", signals],
    ["values", values],
    ["column", column],
  ];
  const all = groups.flatMap(([, orders]) => orders);
  const now = all.find(({ sort, descending }) => sort === grid.sort.value && descending === grid.descending.value);
  return (
    <span class="penstock-sort-field">
      <select
        {...focusable}
        class="penstock-sort"
        aria-label="Order of the samples"
        data-testid="penstock-sort"
        title={now === undefined ? undefined : `order: ${now.words}`}
        value={now === undefined ? "query" : orderValue(now)}
        disabled={!store.isLive.value}
        onChange={(event) => {
          const chosen = all.find((order) => orderValue(order) === event.currentTarget.value);
          if (chosen !== undefined) void grid.sortBy(chosen.sort, chosen.descending);
        }}
      >
        {groups.map(([name, orders]) =>
          orders.length === 0 ? null : (
            <optgroup key={name} label={name}>
              {orders.map((order) => (
                <option key={orderValue(order)} value={orderValue(order)}>
                  {order.words}
                </option>
              ))}
            </optgroup>
          ),
        )}
      </select>
      <i aria-hidden="true">▾</i>
    </span>
  );
}

/** A value both ways; of what training reported the largest first. */
function both(sort: GridSort, name: string, largest = false): Order[] {
  const orders = [false, true].map((descending) => ({ sort, descending, words: `${name} ${descending ? "↓" : "↑"}` }));
  return largest ? orders.reverse() : orders;
}

/** The order that people mean by a name has that name alone. */
function orderValue({ sort, descending }: Order): string {
  const usual = sort === "query" || sort === "row" || /^(tensor|column):/.test(sort) ? !descending : descending;
  return usual ? sort : `${sort} ${descending ? "down" : "up"}`;
}
