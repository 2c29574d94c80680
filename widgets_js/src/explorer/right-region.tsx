import { CoverageStrip } from "../coverage/coverage-strip.tsx";
import { HistogramPanel } from "../histogram/histogram-panel.tsx";
import type { Session } from "../session/session.ts";
import { WeightsPanel } from "../tuner/weights-panel.tsx";

/** Weights with their effect, and coverage: never covered by anything. */
export function RightRegion({ session }: { session: Session }) {
  const { store } = session;
  return (
    <div class="penstock-right" data-testid="penstock-right">
      <div class="penstock-table-slot">
        <WeightsPanel store={store} />
        <HistogramPanel store={store} />
      </div>
      <div class="penstock-coverage-slot">
        <CoverageStrip session={session} />
      </div>
    </div>
  );
}
