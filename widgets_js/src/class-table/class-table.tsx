import type { Session } from "../session/session.ts";
import { useMeasuredWidth } from "../ui/measured-width.ts";
import { columnsFor } from "./columns.ts";
import { Sentence } from "./sentence.tsx";
import { hasColumn, useMeans } from "./signal-means.ts";
import { tableModel } from "./table-model.ts";
import { TableView } from "./table-view.tsx";
import { FindTools, ViewTools } from "./tools.tsx";

const UNMEASURED = 492;
const LEGEND_FROM = 560; // pixels
const SIGNAL_FROM = 480;

/** Every class with its weight and what the weight does to it, in one row. */
export function ClassTable({ session }: { session: Session }) {
  const { store } = session;
  const model = tableModel(store);
  const [root, width] = useMeasuredWidth<HTMLElement>(UNMEASURED);
  useMeans(store, hasColumn(store) || model.sort.value === "signal");
  if (store.isTable.value) return null;
  const columns = columnsFor(width, model.long.value, hasColumn(store));
  return (
    <section
      ref={root}
      class="penstock-class-table"
      aria-label="Classes and weights"
      data-testid="penstock-class-table"
      data-penstock-undo="weights"
    >
      <FindTools session={session} model={model} narrow={columns.stacked} />
      <ViewTools session={session} model={model} legend={width >= LEGEND_FROM} roomy={width >= SIGNAL_FROM} />
      <TableView session={session} model={model} columns={columns} />
      <Sentence model={model} />
    </section>
  );
}
