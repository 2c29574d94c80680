import { classColor, classDash } from "../ui/colors.ts";
import { BarCells } from "./bar-cells.tsx";
import { isFiltered } from "./filter-class.ts";
import { NameCell } from "./name-cell.tsx";
import type { RowProps } from "./row-props.ts";
import { SignalCell } from "./signal-cell.tsx";
import { WeightCells } from "./weight-cells.tsx";

/** One class or condition: what it is, its weight, and what the weight does. Figures follow the slider within its handler. */
export function ClassRow(props: RowProps) {
  const { session, model, row, columns, index, first, disabled } = props;
  const { store } = session;
  const tab = props.current ? 0 : -1;
  const { classIndex } = row;
  const hidden = classIndex !== null && store.hiddenClasses.value.has(classIndex);
  const filtered = classIndex !== null && isFiltered(store, classIndex);
  const locked = row.expression !== "" && model.state.locked.value.has(row.expression);
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      class={`penstock-table-row${first ? " penstock-cut" : ""}${filtered ? " penstock-filtered" : ""}${hidden ? " penstock-off" : ""}`}
      style={{ top: `${index * columns.height}px` }}
      data-testid="penstock-class-row"
      data-key={row.key}
      data-kind={row.kind}
      data-class={row.label}
      data-class-index={classIndex ?? ""}
      data-locked={locked}
    >
      <Mark classIndex={classIndex} />
      <NameCell {...props} tab={tab} locked={locked} hidden={hidden} filtered={filtered} />
      <WeightCells {...props} tab={tab} locked={locked} disabled={disabled || locked} />
      <BarCells {...props} />
      {columns.signal > 0 ? <SignalCell {...props} /> : null}
    </div>
  );
}

/** The box of the class, as the grid draws it. */
function Mark({ classIndex }: { classIndex: number | null }) {
  const color = classColor(classIndex);
  return (
    <svg class="penstock-class-mark" width="16" height="12" viewBox="0 0 16 12" aria-hidden="true">
      {classIndex === null ? (
        <rect x="2" y="2" width="12" height="8" fill="none" stroke={color} />
      ) : (
        <rect
          x="1.25"
          y="1.25"
          width="13.5"
          height="9.5"
          fill={color}
          fill-opacity=".28"
          stroke={color}
          stroke-width="2"
          stroke-dasharray={MARK_DASHES[classDash(classIndex)]}
        />
      )}
    </svg>
  );
}

const MARK_DASHES = { none: "none", "6 3": "5 2.5", "1.5 2.5": "1.5 2" } as const;
