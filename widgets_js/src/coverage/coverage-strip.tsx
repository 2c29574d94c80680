import { type Signal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useCallback, useId } from "preact/hooks";
import type { Snapshot } from "../session/protocol.ts";
import type { Session } from "../session/session.ts";
import type { CoverTab } from "../session/store.ts";
import { chartsOf } from "../statistics/charts.ts";
import { useDrawn } from "../statistics/drawn.ts";
import type { DrawPlan } from "../statistics/plan.ts";
import { useEachFrame } from "../ui/each-frame.ts";
import { focusable } from "../ui/focus.ts";
import { lazy } from "../ui/lazy.tsx";
import { CoverChart, CoverSay } from "../ui/strip-parts.tsx";
import { keptText } from "./cover-text.ts";
import { basisOf, coverageCurves } from "./coverage-curves.ts";
import { EpochsChart } from "./epochs-chart.tsx";
import { EpochsTab } from "./epochs-tab.tsx";

const BatchesTab = lazy(() => import("../batches/batches-tab.tsx").then((part) => part.BatchesTab));
const TimesTab = lazy(() => import("./times-tab.tsx").then((part) => part.TimesTab));
const CoverTable = lazy(() => import("./cover-table.tsx").then((part) => part.CoverTable));

const ScheduleTab = lazy(() => import("../live/schedule-tab.tsx").then((part) => part.ScheduleTab));

type Tab = CoverTab;

const LABELS: Readonly<Record<Tab, string>> = {
  epochs: "epochs",
  times: "times seen",
  batches: "batches",
  schedule: "schedule",
};
const DEAR_STRATA = 4000; // from then on curves wait until the sliders rest
const REST_MS = 120;

interface Props {
  session: Session;
  /** On its own: higher, with its tables in view. */
  alone?: boolean;
}

/** What share of the pool is seen, how often, and in which batches: chart at left, one headline and one sentence at right. */
export function CoverageStrip({ session, alone = false }: Props) {
  const { store } = session;
  const charts = chartsOf(store);
  const tab = store.coverTab;
  const ofDrawable = useSignal(false);
  const compute = useCallback(
    (plan: DrawPlan | null) => (plan === null ? null : coverageCurves(plan, store.query.peek()?.draws ?? plan.draws)),
    [store],
  );
  const large = (store.statistics.value?.header.num_strata ?? 0) > DEAR_STRATA;
  const curves = useEachFrame(charts.plan, compute, large ? REST_MS : 0).value;
  const drawn = useDrawn(store);
  const id = useId();
  if (store.isTable.value) return null;
  if (curves === null) return <KeptCoverage snapshot={store.snapshot.value} alone={alone} />;
  if (curves.rows === 0) {
    return (
      <Frame alone={alone}>
        <div class="penstock-cover-body">
          <CoverSay told={{ headline: "Nothing to draw.", sentence: ["No sample matches the query."] }} />
        </div>
      </Frame>
    );
  }
  if (curves.rows < 2) return null;
  const tabs: readonly Tab[] = [
    "epochs",
    "times",
    ...(store.classNames.value.length > 0 ? (["batches"] as const) : []),
    ...(store.live.value === null ? [] : (["schedule"] as const)),
  ];
  const shown = tabs.includes(tab.value) ? tab.value : "epochs";
  return (
    <Frame alone={alone} tabs={<Tabs id={id} tabs={tabs} shown={shown} tab={tab} />}>
      <div
        class="penstock-cover-body"
        role="tabpanel"
        id={`${id}-panel`}
        aria-label={shown === "times" ? "times seen" : shown}
      >
        {shown === "epochs" && <EpochsTab {...{ store, curves, drawn, ofDrawable }} />}
        {shown === "times" && <TimesTab {...{ store, curves }} />}
        {shown === "batches" && <BatchesTab store={store} />}
        {shown === "schedule" && <ScheduleTab store={store} />}
      </div>
      {alone && <CoverTable curves={curves} basis={basisOf(curves, ofDrawable.value)} />}
    </Frame>
  );
}

interface FrameProps {
  alone: boolean;
  kept?: boolean;
  tabs?: ComponentChildren;
  children: ComponentChildren;
}

function Frame({ alone, kept, tabs, children }: FrameProps) {
  return (
    <section class="penstock-coverage" data-testid="coverage" data-alone={alone} data-kept={kept} aria-label="Coverage">
      <div class="penstock-cover-head">
        <h3>Coverage</h3>
        {tabs}
      </div>
      {children}
    </section>
  );
}

interface TabsProps {
  id: string;
  tabs: readonly Tab[];
  shown: Tab;
  tab: Signal<Tab>;
}

const STEPS: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowLeft: -1 };

/** One stop for Tab; arrows go between them. */
function Tabs({ id, tabs, shown, tab }: TabsProps) {
  const onKey = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const next = tabs[(tabs.indexOf(shown) + step + tabs.length) % tabs.length] as Tab;
    tab.value = next;
    (event.currentTarget as HTMLElement).querySelector<HTMLElement>(`[data-tab=${next}]`)?.focus();
  };
  return (
    <div
      class="penstock-cover-tabs"
      role="tablist"
      aria-label="what the chart shows"
      data-testid="coverage-view"
      data-value={shown}
      onKeyDown={onKey}
    >
      {tabs.map((one) => (
        <button
          {...focusable}
          key={one}
          type="button"
          role="tab"
          id={`${id}-${one}`}
          data-tab={one}
          aria-selected={one === shown}
          aria-controls={`${id}-panel`}
          tabIndex={one === shown ? 0 : -1}
          onClick={() => {
            tab.value = one;
          }}
        >
          {LABELS[one]}
        </button>
      ))}
    </div>
  );
}

/** The curve kept in the notebook, where no statistics are at hand. */
function KeptCoverage({ snapshot, alone }: { snapshot: Snapshot | null; alone: boolean }) {
  if (snapshot === null || snapshot.coverage.length < 2) return null;
  const later = snapshot.coverage.slice(1);
  const curve = {
    mode: snapshot.mode,
    epochs: later.map((_, i) => i + 1),
    coverage: {
      unique: Float64Array.from(later, ({ share }) => share),
      low: Float64Array.from(later, ({ low }) => low),
      high: Float64Array.from(later, ({ high }) => high),
    },
  };
  const shown = { curves: [curve], horizon: later.length, basis: 1, drawable: 1, marks: [], drawn: null };
  return (
    <Frame alone={alone} kept>
      <div class="penstock-cover-body">
        <CoverChart>{(box) => <EpochsChart {...box} {...shown} />}</CoverChart>
        <CoverSay told={keptText(later[0]?.share ?? 0, snapshot.mode)} />
      </div>
    </Frame>
  );
}
