import { ClassTable } from "../class-table/class-table.tsx";
import { CoverageStrip } from "../coverage/coverage-strip.tsx";
import type { Session } from "../session/session.ts";

/** Weights with their effect, and coverage: never covered by anything. */
export function RightRegion({ session }: { session: Session }) {
  return (
    <div class="penstock-right" data-testid="penstock-right">
      <div class="penstock-table-slot">
        <ClassTable session={session} />
      </div>
      <div class="penstock-coverage-slot">
        <CoverageStrip session={session} />
      </div>
    </div>
  );
}
