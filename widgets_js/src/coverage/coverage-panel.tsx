import { type ReadonlySignal, type Signal, useSignal } from "@preact/signals";
import { useCallback } from "preact/hooks";
import type { Snapshot } from "../session/protocol.ts";
import type { Store } from "../session/store.ts";
import { chartsOf } from "../statistics/charts.ts";
import { type Drawn, useDrawn } from "../statistics/drawn.ts";
import type { DrawPlan } from "../statistics/plan.ts";
import { useEachFrame } from "../ui/each-frame.ts";
import { focusable } from "../ui/focus.ts";
import { countText, shareText } from "../ui/number-text.ts";
import { Switch } from "../ui/switch.tsx";
import { type CoverageCurves, coverageCurves, coverageFigures, coverTable } from "./coverage-curves.ts";
import { EpochsChart } from "./epochs-chart.tsx";
import { TimesChart } from "./times-chart.tsx";

type View = "epochs" | "times";

const VIEWS: readonly { value: View; label: string }[] = [
  { value: "epochs", label: "epochs" },
  { value: "times", label: "times seen" },
];
const AFTER = ["1", "5", "10", "20"].map((value) => ({ value, label: value }));
const ECDF_CLASSES = 5;
const DEAR_STRATA = 4000; // from then on curves wait until the sliders rest
const REST_MS = 120;

/** What share of the pool is seen, epoch by epoch, and how often. */
export function CoveragePanel({ store }: { store: Store }) {
  const charts = chartsOf(store);
  const view = useSignal<View>("epochs");
  const ofDrawable = useSignal(false);
  const compute = useCallback(
    (plan: DrawPlan | null) => (plan === null ? null : coverageCurves(plan, store.query.peek()?.draws ?? plan.draws)),
    [store],
  );
  const large = (store.statistics.value?.header.num_strata ?? 0) > DEAR_STRATA;
  const curves = useEachFrame(charts.plan, compute, large ? REST_MS : 0).value;
  const drawn = useDrawn(store);
  if (store.isTable.value) return null;
  if (curves === null) return <KeptCoverage snapshot={store.snapshot.value} />;
  if (curves.rows < 2) return null;
  return (
    <section class="penstock-section penstock-coverage" data-testid="coverage" aria-label="Coverage">
      <div class="penstock-row penstock-heading">
        <h3>Coverage</h3>
        <span class="penstock-grow" />
        <Switch
          label="what the chart shows"
          testid="coverage-view"
          options={VIEWS}
          value={view.value}
          onChange={(value) => {
            view.value = value;
          }}
        />
      </div>
      {view.value === "epochs" ? (
        <Epochs curves={curves} ofDrawable={ofDrawable} drawn={drawn} />
      ) : (
        <Times store={store} curves={curves} />
      )}
    </section>
  );
}

interface EpochsProps {
  curves: CoverageCurves;
  ofDrawable: Signal<boolean>;
  drawn: ReadonlySignal<Drawn | null>;
}

function Epochs({ curves, ofDrawable, drawn }: EpochsProps) {
  const limited = curves.drawable < curves.rows && curves.drawable > 0;
  const basis = limited && ofDrawable.value ? curves.drawable : curves.rows;
  return (
    <>
      <Figures curves={curves} basis={basis} />
      <EpochsChart {...{ curves: curves.curves, mode: curves.mode, basis, drawable: curves.drawable, drawn }} />
      {limited && (
        <p class="penstock-note" data-testid="ceiling-note">
          {`${countText(curves.drawable)} of ${countText(curves.rows)} samples can be drawn; shares are of ${ofDrawable.value ? "those" : "the pool"}. `}
          <button
            {...focusable}
            type="button"
            class="penstock-link"
            aria-pressed={ofDrawable.value}
            onClick={() => {
              ofDrawable.value = !ofDrawable.value;
            }}
          >
            {ofDrawable.value ? "of the pool" : "of samples that can be drawn"}
          </button>
        </p>
      )}
      <DrawnNote drawn={drawn} curves={curves} />
      <CoverTable curves={curves} basis={basis} />
    </>
  );
}

function Figures({ curves, basis }: { curves: CoverageCurves; basis: number }) {
  const { seen, deck, iid } = coverageFigures(curves, basis);
  const [half, most] = iid;
  return (
    <div class="penstock-figures">
      <Figure label="seen, epoch 1" value={shareText(seen)} testid="seen-epoch-1" exact={seen} />
      {curves.modes.includes("deck") && (
        <Figure
          label="deck: all seen by"
          value={deck === null ? "never" : `epoch ${countText(deck)}`}
          testid="deck-all"
          exact={deck}
        />
      )}
      <Figure
        label="iid: all seen, 50 · 95%"
        value={half === null ? "never" : `${countText(half)} · ${most === null ? "never" : countText(most)}`}
        testid="iid-all"
        exact={half}
      />
    </div>
  );
}

function Figure({
  label,
  value,
  testid,
  exact,
}: {
  label: string;
  value: string;
  testid: string;
  exact: number | null;
}) {
  return (
    <div data-testid={testid} data-value={exact ?? "never"}>
      <span>{label}</span>
      <strong>{value}</strong>
    </div>
  );
}

function DrawnNote({ drawn, curves }: { drawn: ReadonlySignal<Drawn | null>; curves: CoverageCurves }) {
  const found = drawn.value;
  const { mode } = curves;
  const approximate = mode === "once" && curves.plans.once.draws < curves.drawable; // Hajek's variance
  const band = approximate ? "95% band, approximate" : "95% band";
  if (found === null || found.unique.length === 0) return null;
  const stale = found.stale || found.mode !== mode;
  return (
    <p class="penstock-note">{stale ? `○ drawn before this change, ${band}` : `○ drawn by the loader, ${band}`}</p>
  );
}

function epochText(epoch: number | null): string {
  return epoch === null ? "never" : countText(epoch);
}

/** Epochs until 90, 95, 99 and 100% are seen. */
function CoverTable({ curves, basis }: { curves: CoverageCurves; basis: number }) {
  const open = useSignal(false);
  const hasDeck = curves.modes.includes("deck");
  return (
    <details
      class="penstock-cover-table"
      onToggle={(event) => {
        open.value = event.currentTarget.open;
      }}
    >
      <summary {...focusable}>epochs until 90 · 95 · 99 · 100% are seen</summary>
      {open.value && (
        <table data-testid="cover-table">
          <thead>
            <tr>
              <th scope="col">seen</th>
              {hasDeck && <th scope="col">deck</th>}
              <th scope="col">iid, 50%</th>
              <th scope="col">iid, 95%</th>
            </tr>
          </thead>
          <tbody>
            {coverTable(curves, basis).map((row) => (
              <tr key={row.share}>
                <th scope="row">{shareText(row.share)}</th>
                {hasDeck && <td>{epochText(row.deck)}</td>}
                <td>{epochText(row.iid50)}</td>
                <td>{epochText(row.iid95)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </details>
  );
}

function Times({ store, curves }: { store: Store; curves: CoverageCurves }) {
  const after = useSignal("1");
  const plan = curves.plans[curves.mode];
  if (plan.draws === 0) return <p class="penstock-note">Nothing can be drawn: every weight is 0.</p>;
  return (
    <>
      <div class="penstock-row penstock-after">
        <span class="penstock-number">{`${curves.mode}, after epochs`}</span>
        <span class="penstock-grow" />
        <Switch
          label="after how many epochs"
          testid="after-epochs"
          options={AFTER}
          value={after.value}
          onChange={(value) => {
            after.value = value;
          }}
        />
      </div>
      <TimesChart
        plan={plan}
        epochs={Number(after.value)}
        classes={ecdfClasses(store)}
        names={store.classNames.value}
      />
    </>
  );
}

/** The classes weights name, then the rarest of the pool: few enough to tell apart. */
function ecdfClasses(store: Store): number[] {
  const charts = chartsOf(store);
  if (charts.byClause.value) return [];
  const raw = charts.histogram.value?.raw ?? new Float64Array(0);
  const present = Array.from(raw.keys()).filter((c) => (raw[c] ?? 0) > 0);
  const named = present.filter((c) => charts.namedClasses.value.has(c));
  const rarest = present.sort((a, b) => (raw[a] ?? 0) - (raw[b] ?? 0)).filter((c) => !named.includes(c));
  return [...named, ...rarest].slice(0, ECDF_CLASSES);
}

/** The curve kept in the notebook, where no statistics are at hand. */
function KeptCoverage({ snapshot }: { snapshot: Snapshot | null }) {
  if (snapshot === null || snapshot.coverage.length < 2) return null;
  const later = snapshot.coverage.slice(1);
  const kept = {
    unique: Float64Array.from(later, ({ share }) => share),
    low: Float64Array.from(later, ({ low }) => low),
    high: Float64Array.from(later, ({ high }) => high),
  };
  return (
    <section class="penstock-section penstock-coverage" data-testid="coverage" data-kept="true" aria-label="Coverage">
      <div class="penstock-row penstock-heading">
        <h3>Coverage</h3>
      </div>
      <EpochsChart curves={{ [snapshot.mode]: kept }} mode={snapshot.mode} basis={1} drawable={1} drawn={null} />
    </section>
  );
}
