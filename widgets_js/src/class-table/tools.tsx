import type { Mode, Unit } from "../session/protocol.ts";
import type { Session } from "../session/session.ts";
import type { Store } from "../session/store.ts";
import { chartsOf } from "../statistics/charts.ts";
import { focusable } from "../ui/focus.ts";
import { countText } from "../ui/number-text.ts";
import { Switch } from "../ui/switch.tsx";
import { BalanceMenu } from "./balance-menu.tsx";
import { SORTS, type Sort } from "./row-order.ts";
import { hasColumn, shownSignal } from "./signal-means.ts";
import type { TableModel } from "./table-model.ts";

const MODES: readonly { value: Mode; label: string; title: string }[] = [
  { value: "iid", label: "iid", title: "iid: every draw independent, as WeightedRandomSampler" },
  { value: "deck", label: "deck", title: "deck: every group is dealt out before any sample repeats" },
  { value: "once", label: "once", title: "once: without replacement" },
];

const WITH_REPEATS = MODES.map((mode) =>
  mode.value === "iid"
    ? mode
    : { ...mode, disabled: true, title: "not available: rows of this pool repeat, which only iid can draw from" },
);

const UNITS: readonly { value: Unit; label: string; title: string }[] = [
  { value: "instances", label: "instances", title: "count every label or box" },
  { value: "samples", label: "samples", title: "count the samples that have the class" },
];

/** Find, sort, balance. */
export function FindTools({ session, model, narrow }: { session: Session; model: TableModel; narrow: boolean }) {
  const classes = model.rows.value.filter((row) => row.kind === "class").length;
  return (
    <div class="penstock-table-tools">
      <input
        {...focusable}
        type="search"
        class="penstock-field penstock-table-search"
        placeholder={narrow ? "find a class" : `find among ${countText(classes)} classes`}
        aria-label="find a class"
        data-testid="penstock-find-class"
        value={model.search.value}
        onInput={(event) => {
          model.search.value = event.currentTarget.value;
        }}
        onKeyDown={(event) => {
          if (event.key !== "Escape" || model.search.value === "") return;
          event.stopPropagation();
          model.search.value = "";
        }}
      />
      <span class="penstock-select">
        <select
          {...focusable}
          aria-label="order of the classes"
          data-testid="sort"
          value={model.sort.value}
          onChange={(event) => {
            model.sort.value = event.currentTarget.value as Sort;
          }}
        >
          {sortsOf(session.store).map(({ value, label }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </span>
      <BalanceMenu session={session} />
    </div>
  );
}

/** Without what training reported there is nothing to sort by it. */
function sortsOf(store: Store): { value: Sort; label: string }[] {
  const name = shownSignal(store);
  return name === null ? [...SORTS] : [...SORTS, { value: "signal", label: `highest ${name}` }];
}

interface ViewProps {
  session: Session;
  model: TableModel;
  legend: boolean;
  /** There is room for a column of what training reported. */
  roomy: boolean;
}

/** How samples are drawn and what the bars count. */
export function ViewTools({ session, model, legend, roomy }: ViewProps) {
  const { store } = session;
  return (
    <div class="penstock-table-tools penstock-table-views">
      <Switch
        label="how samples are drawn"
        testid="mode"
        options={store.statistics.value?.folded == null ? MODES : WITH_REPEATS}
        value={store.mode.value}
        disabled={store.statistics.value === null}
        onChange={(mode) => void store.actions.setMode(mode)}
      />
      <span class="penstock-grow" />
      {legend && store.query.value?.has_sampling && !hasColumn(store) ? <Legend /> : null}
      {roomy ? <SignalToggle store={store} /> : null}
      {hasRepeats(store) ? (
        <Switch
          label="unit of the bars"
          testid="unit"
          options={UNITS}
          value={store.unit.value}
          onChange={(value) => store.actions.setUnit(value)}
        />
      ) : null}
      <button
        {...focusable}
        type="button"
        class="penstock-toggle"
        title="logarithmic scale"
        data-testid="log"
        aria-pressed={model.log.value}
        onClick={() => model.setLog(!model.log.value)}
      >
        log
      </button>
    </div>
  );
}

/** The column of what training reported, by its name. */
function SignalToggle({ store }: { store: Store }) {
  const name = shownSignal(store);
  if (name === null) return null;
  const on = hasColumn(store);
  return (
    <button
      {...focusable}
      type="button"
      class="penstock-toggle penstock-signal-toggle"
      title={`mean ${name} of the samples of each class`}
      data-testid="penstock-signal-toggle"
      aria-pressed={on}
      onClick={() => {
        store.signalColumn.value = on ? null : name;
      }}
    >
      {name}
    </button>
  );
}

function hasRepeats(store: Store): boolean {
  const statistics = store.statistics.value;
  if (statistics === null || chartsOf(store).byClause.value) return false;
  const { instances, rowsWithClass } = statistics;
  return store.unit.value === "samples" || instances.some((count, i) => count !== rowsWithClass[i]);
}

function Legend() {
  return (
    <span class="penstock-table-legend">
      <svg width="20" height="12" viewBox="0 0 20 12" aria-hidden="true">
        <path d="M2 6H18M2 3v6M18 3v6" />
      </svg>
      95 %
      <svg width="8" height="12" viewBox="0 0 8 12" aria-hidden="true">
        <circle cx="4" cy="6" r="2.5" />
      </svg>
      first epoch
    </span>
  );
}
