import { BatchesPanel } from "../batches/batches-panel.tsx";
import { ClassTable } from "../class-table/class-table.tsx";
import { CoveragePanel } from "../coverage/coverage-panel.tsx";
import type { Session } from "../session/session.ts";

/** Weights with their effect, and coverage: never covered by anything. */
export function RightRegion({ session }: { session: Session }) {
  const { store } = session;
  return (
    <div class="penstock-right" data-testid="penstock-right">
      <div class="penstock-table-slot">
        <ClassTable session={session} />
      </div>
      <div class="penstock-coverage-slot">
        <CoveragePanel store={store} />
        <BatchesPanel store={store} />
      </div>
    </div>
  );
}
