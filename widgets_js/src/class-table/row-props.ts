import type { ReadonlySignal } from "@preact/signals";
import type { Session } from "../session/session.ts";
import type { AxisScale } from "./axis-scale.ts";
import type { BarSource } from "./bar-source.ts";
import type { Columns } from "./columns.ts";
import type { SliderRow } from "./slider-rows.ts";
import type { TableModel } from "./table-model.ts";

export interface RowProps {
  session: Session;
  model: TableModel;
  row: SliderRow;
  index: number; // among all rows, from 0
  first: boolean; // of its group
  current: boolean; // the row in the tab order
  disabled: boolean; // all sliders: the text is broken, or there is nothing to compute with
  columns: Columns;
  axis: ReadonlySignal<AxisScale>;
  rested: ReadonlySignal<BarSource | null>;
  drawn: ReadonlySignal<readonly number[] | null>; // the first epoch of the loader's own stream, by class
  pattern: string;
}

/** What the cells of a row need besides. */
export interface CellProps extends RowProps {
  tab: number;
  locked: boolean;
}

/** Id of the note under a row's name; the pattern's own id is of this table alone. */
export function noteId({ pattern, row }: RowProps): string {
  return `${pattern}-${row.key.replace(/\W+/g, "-")}`;
}
