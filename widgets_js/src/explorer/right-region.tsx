import { BatchesPanel } from "../batches/batches-panel.tsx";
import { CoveragePanel } from "../coverage/coverage-panel.tsx";
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
        <CoveragePanel store={store} />
        <BatchesPanel store={store} />
      </div>
    </div>
  );
}
