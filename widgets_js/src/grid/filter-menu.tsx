import { isFiltered } from "../session/grid-filter.ts";
import type { Session } from "../session/session.ts";
import type { Store } from "../session/store.ts";
import { focusable } from "../ui/focus.ts";
import { lazy } from "../ui/lazy.tsx";
import { pluralText } from "../ui/number-text.ts";
import { Popover } from "../ui/popover.tsx";
import type { Chip } from "./filter-words.ts";

const FilterPanel = lazy(() => import("./filter-panel.tsx").then((part) => part.FilterPanel));

/** What else the grid can leave out, all chips where the bar has no room for them, and the way into the query. */
export function FilterMenu({ session, chips }: { session: Session; chips: readonly Chip[] }) {
  const { store } = session;
  const label = (
    <>
      <Funnel />
      <span class="penstock-filter-count">{chips.length === 0 ? "filter" : pluralText(chips.length, "filter")}</span>
      <span aria-hidden="true">▾</span>
    </>
  );
  return (
    <Popover
      class={`penstock-opener penstock-filter-opener${chips.length > 0 ? " penstock-on" : ""}`}
      label={label}
      title="filter the grid"
      testid="penstock-filter-menu"
      disabled={!store.isLive.value}
    >
      {(close) => <FilterPanel session={session} chips={chips} close={close} />}
    </Popover>
  );
}

function Funnel() {
  return (
    <svg viewBox="0 0 16 16" width="13" height="13" aria-hidden="true">
      <path d="M2 3h12l-4.6 5.4V13l-2.8-1.4V8.4Z" fill="none" stroke="currentColor" stroke-width="1.4" />
    </svg>
  );
}

/** The chips' own way into the query, beside them. */
export function ToQuery({ store }: { store: Store }) {
  if (!isFiltered(store.filter.value)) return null;
  return (
    <button
      {...focusable}
      type="button"
      class="penstock-link penstock-to-query"
      title="write what the grid shows into WHERE and run it"
      disabled={!store.isLive.value}
      onClick={() => void store.actions.narrow("filter")}
    >
      → query
    </button>
  );
}
