import { useSignal } from "@preact/signals";
import type { Store } from "../session/store.ts";
import { chartsOf } from "../statistics/charts.ts";
import { seenLaws, timesSeen } from "../statistics/times-seen.ts";
import { CoverChart, CoverChoice, CoverSay } from "../ui/strip-parts.tsx";
import { timesText } from "./cover-text.ts";
import type { CoverageCurves } from "./coverage-curves.ts";
import { TimesChart } from "./times-chart.tsx";

const AFTER = [1, 5, 10, 20].map((value) => ({ value, text: value === 1 ? "1 epoch" : `${value} epochs` }));
const SHOWN_CLASSES = 4;

/** How often samples have been drawn. */
export function TimesTab({ store, curves }: { store: Store; curves: CoverageCurves }) {
  const after = useSignal(1);
  const plan = curves.plans[curves.mode];
  if (plan.draws === 0) {
    return <CoverSay told={{ headline: "Nothing can be drawn.", sentence: ["Every weight is 0."] }} />;
  }
  const epochs = after.value;
  const seen = seenLaws(plan, epochs);
  const [atMost0 = 0, atMost1 = 0] = timesSeen(plan, seen, null, [0, 1]);
  const shown = { plan, epochs, seen, classes: shownClasses(store), names: store.classNames.value };
  return (
    <>
      <CoverChart>{(box) => <TimesChart {...box} {...shown} />}</CoverChart>
      <CoverSay told={timesText({ atMost0, atMost1 }, epochs)}>
        {" After "}
        <CoverChoice
          label="after how many epochs"
          testid="after-epochs"
          options={AFTER}
          value={epochs}
          onChange={(value) => {
            after.value = value;
          }}
        />
      </CoverSay>
    </>
  );
}

/** The classes weights name, then the rarest of the pool: few enough to tell apart. */
function shownClasses(store: Store): number[] {
  const charts = chartsOf(store);
  if (charts.byClause.value) return [];
  const raw = charts.histogram.value?.raw ?? new Float64Array(0);
  const present = Array.from(raw.keys()).filter((c) => (raw[c] ?? 0) > 0);
  const rarest = present.sort((a, b) => (raw[a] ?? 0) - (raw[b] ?? 0));
  const named = rarest.filter((c) => charts.namedClasses.value.has(c));
  const others = rarest.filter((c) => !charts.namedClasses.value.has(c));
  return [...named, ...others].slice(0, SHOWN_CLASSES);
}
