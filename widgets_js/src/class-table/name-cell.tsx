import { computed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { ClassMenu } from "../classes/class-menu.tsx";
import type { Session } from "../session/session.ts";
import { chartsOf } from "../statistics/charts.ts";
import { focusable } from "../ui/focus.ts";
import { canFilter, filterByRow } from "./filter-class.ts";
import { noEffectText } from "./no-effect-text.ts";
import { LockMark, RowMenu, WeightItems } from "./row-menu.tsx";
import { type CellProps, noteId } from "./row-props.ts";
import type { SliderRow } from "./slider-rows.ts";

interface NameProps extends CellProps {
  hidden: boolean;
  filtered: boolean;
}

export function NameCell(props: NameProps) {
  const { session, row, tab, locked } = props;
  const note = useMemo(() => computed(() => noteOf(session, row)), [session, row]).value; // of this row: it gains a clause
  return (
    <div role="rowheader" class={`penstock-name-cell${note === null ? "" : " penstock-noted"}`}>
      {row.classIndex === null ? <ConditionName row={row} tab={tab} /> : <ClassName {...props} />}
      <Eye {...props} />
      {locked ? <LockMark /> : null}
      <More session={session} row={row} tab={tab} />
      {note === null ? null : (
        <span id={noteId(props)} class="penstock-row-note" title={note.long} data-testid="no-effect">
          {note.short}
        </span>
      )}
    </div>
  );
}

function ConditionName({ row, tab }: { row: SliderRow; tab: number }) {
  const source = row.expression !== "" && row.label === row.expression;
  return (
    <span
      {...focusable}
      tabIndex={tab}
      data-cell="name"
      class={`penstock-row-name${source ? " penstock-mono" : ""}`}
      title={row.label}
    >
      {row.label}
    </span>
  );
}

function ClassName({ session, row, tab, filtered }: NameProps) {
  const { store } = session;
  const live = canFilter(store);
  const filter = (event: MouseEvent | KeyboardEvent): void => void filterByRow(store, row, event);
  return (
    <button
      {...focusable}
      type="button"
      tabIndex={tab}
      data-cell="name"
      data-testid="penstock-class-filter"
      class="penstock-row-name"
      aria-pressed={filtered}
      aria-disabled={live ? undefined : true}
      title={live ? `${row.label}: click to filter the samples, Shift+click to add it to the filter` : row.label}
      onClick={filter}
      onKeyDown={(event) => {
        if (event.key !== "Enter") return;
        event.preventDefault(); // a notebook may take Enter for itself
        event.stopPropagation();
        filter(event);
      }}
    >
      {row.label}
    </button>
  );
}

function More({ session, row, tab }: { session: Session; row: SliderRow; tab: number }) {
  const { classIndex } = row;
  if (classIndex === null) return row.clause === null ? null : <RowMenu session={session} row={row} tabIndex={tab} />;
  return (
    <ClassMenu
      session={session}
      index={classIndex}
      instances={session.store.dataset.value?.class_counts[classIndex] ?? 0}
      tabIndex={tab}
      extra={row.clause === null ? undefined : (close) => <WeightItems session={session} row={row} close={close} />}
    />
  );
}

function noteOf(session: Session, row: SliderRow): { short: string; long: string } | null {
  const { store } = session;
  if (row.clause === null) return null;
  if (!row.literal) return { short: "set by an expression", long: "the weight is an expression; edit the query text" };
  return noEffectText(chartsOf(store).noEffect.value[row.clause], store.query.value?.clauses ?? [], row.clause);
}

function Eye({ session, row, tab, hidden }: NameProps) {
  const { store } = session;
  const { classIndex } = row;
  if (store.dataset.value?.box_tensor == null || classIndex === null) return null;
  return (
    <button
      {...focusable}
      type="button"
      tabIndex={tab}
      data-cell="eye"
      data-testid="penstock-eye"
      class="penstock-row-tool"
      aria-pressed={hidden}
      aria-label={`hide boxes of ${row.label}`}
      title={`${hidden ? "show" : "hide"} the boxes of ${row.label}`}
      onClick={() => store.actions.toggleClass(classIndex)}
    >
      <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
        <path d="M1.5 8S4 3.8 8 3.8 14.5 8 14.5 8 12 12.2 8 12.2 1.5 8 1.5 8z" />
        <circle cx="8" cy="8" r="1.8" />
        {hidden ? <path d="M3 13.5l10-11" /> : null}
      </svg>
    </button>
  );
}
