import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { seenSoFar, seenText } from "../live/seen-so-far.ts";
import type { Store } from "../session/store.ts";
import type { Drawn } from "../statistics/drawn.ts";
import { focusable } from "../ui/focus.ts";
import { countText } from "../ui/number-text.ts";
import { CoverChart, CoverSay } from "../ui/strip-parts.tsx";
import { epochsText } from "./cover-text.ts";
import { basisOf, type CoverageCurves, coverageFigures, horizonOf, shownCurves } from "./coverage-curves.ts";
import { EpochsChart } from "./epochs-chart.tsx";

interface Props {
  store: Store;
  curves: CoverageCurves;
  drawn: ReadonlySignal<Drawn | null>;
  ofDrawable: Signal<boolean>;
}

/** Share seen, epoch by epoch. */
export function EpochsTab({ store, curves, drawn, ofDrawable }: Props) {
  const { drawable, rows } = curves;
  const basis = basisOf(curves, ofDrawable.value);
  const figures = coverageFigures(curves, basis);
  const horizon = horizonOf(curves);
  const marks = curves.isPass
    ? []
    : [
        { epoch: figures.half, name: "half of runs have seen all" },
        { epoch: figures.most, name: "95% of runs have seen all" },
      ];
  const soFar = seenSoFar(store.live.value, curves.mode);
  if (soFar !== null && store.live.value !== null) {
    const last = soFar.epochs.at(-1) ?? 1;
    const past = { unique: soFar.past, counts: [], mode: soFar.mode, stale: false };
    return (
      <>
        <CoverChart>
          {(box) => (
            <EpochsChart
              {...box}
              curves={[soFar]}
              horizon={Math.max(4, Math.ceil(last))}
              basis={basis}
              drawable={drawable}
              marks={[]}
              drawn={signal(past)}
              now={soFar.now}
            />
          )}
        </CoverChart>
        <CoverSay told={seenText(store.live.value, basis)} />
      </>
    );
  }
  const shown = { curves: shownCurves(curves, horizon), horizon, basis, drawable, marks, drawn };
  return (
    <>
      <CoverChart>{(box) => <EpochsChart {...box} {...shown} />}</CoverChart>
      <CoverSay told={epochsText(curves, figures, basis, store.query.value?.has_sampling ?? false)} seen={figures.seen}>
        {drawable > 0 && drawable < rows && (
          <>
            {" "}
            <button
              {...focusable}
              type="button"
              class="penstock-link"
              aria-pressed={ofDrawable.value}
              data-testid="ceiling-note"
              title={`${countText(drawable)} of ${countText(rows)} samples can be drawn`}
              onClick={() => {
                ofDrawable.value = !ofDrawable.value;
              }}
            >
              {ofDrawable.value ? "of the pool" : `of the ${countText(drawable)} that can be drawn`}
            </button>
          </>
        )}
      </CoverSay>
    </>
  );
}
