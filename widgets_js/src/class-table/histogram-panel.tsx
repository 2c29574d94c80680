import { computed, useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { Unit } from "../session/protocol.ts";
import type { Store } from "../session/store.ts";
import { chartsOf } from "../statistics/charts.ts";
import { useAtRest } from "../ui/at-rest.ts";
import { focusable } from "../ui/focus.ts";
import { countText, shareText } from "../ui/number-text.ts";
import { Switch } from "../ui/switch.tsx";
import { useUniqueId } from "../ui/unique-id.ts";
import { type BarSource, barSource } from "./bar-source.ts";
import { Bars } from "./bars.tsx";
import { BarsTable } from "./bars-table.tsx";
import { LiftNote } from "./lift-note.tsx";
import { isLong, SORTS, type Sort, shownClasses } from "./shown-classes.ts";

const UNITS: readonly { value: Unit; label: string; title: string }[] = [
  { value: "instances", label: "instances", title: "count every label or box" },
  { value: "samples", label: "samples", title: "count the samples that have the class" },
];

const REST_MS = 150;

function sameBars(a: BarSource | null, b: BarSource | null): boolean {
  return a?.names === b?.names && a?.kept === b?.kept;
}

/** Raw against sampled, class by class. */
export function HistogramPanel({ store }: { store: Store }) {
  const charts = chartsOf(store);
  const pattern = useUniqueId("hatch");
  const source = useMemo(() => barSource(store), [store]);
  const rested = useAtRest(source, REST_MS, sameBars);
  const view = { sort: useSignal<Sort>("raw"), search: useSignal(""), all: useSignal(false), log: useSignal(false) };
  const { sort, search, all } = view;
  const shown = useMemo(
    () =>
      computed(() => {
        const bars = rested.value;
        if (bars === null) return null;
        const named = charts.namedClasses.value;
        const list = { names: bars.names, classes: bars.classes, ...bars.histogram, named };
        const choice = { sort: sort.value, search: search.value, all: all.value };
        return { ...shownClasses(list, choice), long: isLong(list), names: bars.names };
      }),
    [rested, charts, sort, search, all],
  );
  const stable = useStableClasses(shown.value?.classes ?? []);
  if (store.isTable.value || shown.value === null) return null;
  const { long, hidden, names } = shown.value;
  const byClause = charts.byClause.value;
  const unit = byClause ? "samples" : store.unit.value;
  return (
    <section class="penstock-section penstock-histogram" data-testid="histogram" aria-label="Histogram">
      <div class="penstock-row penstock-heading">
        <h3>Histogram</h3>
        <span class="penstock-grow" />
        {!byClause && hasRepeats(store) && (
          <Switch
            label="unit of the bars"
            testid="unit"
            options={UNITS}
            value={store.unit.value}
            onChange={(value) => store.actions.setUnit(value)}
          />
        )}
      </div>
      <Legend pattern={pattern} view={view} />
      {long && <Search view={view} total={names.length} hidden={hidden} />}
      {charts.nothingDrawn.value && (
        <p class="penstock-nothing" role="status" data-testid="nothing-drawn">
          Nothing can be drawn: every weight is 0.
        </p>
      )}
      {stable.length > 0 ? (
        <Bars store={store} source={source} classes={stable} names={names} log={view.log.value} pattern={pattern} />
      ) : (
        <p class="penstock-note">
          {search.value === "" ? "There are no classes to count." : `No class matches “${search.value}”.`}
        </p>
      )}
      <AxisTitle store={store} unit={unit} />
      <LiftNote store={store} />
      <BinNote store={store} />
      <BarsTable source={source} classes={stable} unit={unit} />
    </section>
  );
}

/** The same array while its members are the same: bars are made anew only when they are others. */
function useStableClasses(classes: readonly number[]): readonly number[] {
  const key = classes.join();
  return useMemo(() => classes, [key]);
}

function hasRepeats(store: Store): boolean {
  const statistics = store.statistics.value;
  if (statistics === null) return false;
  const { instances, rowsWithClass } = statistics;
  return store.unit.value === "samples" || instances.some((count, i) => count !== rowsWithClass[i]);
}

interface View {
  sort: { value: Sort };
  search: { value: string };
  all: { value: boolean };
  log: { value: boolean };
}

function Legend({ pattern, view }: { pattern: string; view: View }) {
  return (
    <div class="penstock-legend">
      <span>
        <svg class="penstock-swatch" width="14" height="9" aria-hidden="true">
          <defs>
            <pattern id={pattern} width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
              <rect width="2.2" height="5" class="penstock-hatch" />
            </pattern>
          </defs>
          <rect class="penstock-bar-raw" width="14" height="9" fill={`url(#${pattern})`} />
        </svg>
        raw
      </span>
      <span>
        <i class="penstock-swatch penstock-swatch-sampled" />
        sampled ± 95%
      </span>
      <span class="penstock-grow" />
      <select
        {...focusable}
        class="penstock-quiet"
        aria-label="order of the bars"
        data-testid="sort"
        value={view.sort.value}
        onChange={(event) => {
          view.sort.value = event.currentTarget.value as Sort;
        }}
      >
        {SORTS.map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
      <button
        {...focusable}
        type="button"
        class="penstock-quiet"
        data-testid="log"
        aria-pressed={view.log.value}
        onClick={() => {
          view.log.value = !view.log.value;
        }}
      >
        log
      </button>
    </div>
  );
}

function Search({ view, total, hidden }: { view: View; total: number; hidden: number }) {
  return (
    <div class="penstock-row penstock-bars-search">
      <input
        {...focusable}
        type="search"
        class="penstock-field"
        placeholder={`find among ${countText(total)} classes`}
        aria-label="find a class"
        data-testid="bar-search"
        value={view.search.value}
        onInput={(event) => {
          view.search.value = event.currentTarget.value;
        }}
      />
      <button
        {...focusable}
        type="button"
        class="penstock-link"
        disabled={view.search.value !== ""}
        aria-pressed={view.all.value}
        onClick={() => {
          view.all.value = !view.all.value;
        }}
      >
        {view.all.value ? "fewer" : hidden > 0 ? `${countText(hidden)} more` : "all"}
      </button>
    </div>
  );
}

/** A weight per row comes in bins: how far off that is. */
function BinNote({ store }: { store: Store }) {
  const header = store.statistics.value?.header;
  if (header?.level !== "bins" || !(header.bin_error > 0)) return null;
  return (
    <p class="penstock-note" data-testid="bins">
      {`Row weights are grouped into ${countText(header.num_strata)} bins; numbers are within ${shareText(header.bin_error)}.`}
    </p>
  );
}

/** What the axis counts, always written. */
function AxisTitle({ store, unit }: { store: Store; unit: string }) {
  const asked = store.query.value?.draws ?? store.snapshot.value?.draws ?? 0;
  const draws = chartsOf(store).plan.value?.draws ?? asked;
  const capped = draws > 0 && draws < asked ? `, ${countText(asked)} requested` : "";
  const epoch = chartsOf(store).plan.value?.mode === "deck" ? "the first epoch," : "an epoch of";
  return <div class="penstock-axis-title">{`${unit} · ${epoch} ${countText(draws)} draws${capped}`}</div>;
}
