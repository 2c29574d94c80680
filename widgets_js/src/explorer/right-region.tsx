import { HistogramPanel } from "../class-table/histogram-panel.tsx";
import { WeightsPanel } from "../class-table/weights-panel.tsx";
import { CoverageStrip } from "../coverage/coverage-strip.tsx";
import type { Session } from "../session/session.ts";

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
