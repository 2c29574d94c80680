import * as intervals from "../session/intervals.ts";
import type { ColumnInfo, TableRow } from "../session/protocol.ts";
import type { Session } from "../session/session.ts";
import { countText } from "../ui/number-text.ts";
import { COLUMNS, type RowCache } from "./row-cache.ts";
import type { ColumnPlaces } from "./table-geometry.ts";

interface RowProps {
  id: string;
  session: Session;
  cache: RowCache;
  position: number;
  y: number;
  list: readonly ColumnInfo[];
  wide: readonly [number, number];
  places: ColumnPlaces;
  row: number;
  column: number;
  onPick: (event: MouseEvent, column: number) => void;
}

/** One row: its number, and the cells in view. */
export function Row({ id, session, cache, position, y, list, wide, places, row, column, onPick }: RowProps) {
  const { grid, store } = session;
  const isSample = !store.isTable.value;
  const head = cache.row(position, Math.floor(wide[0] / COLUMNS));
  const selected = isSample && intervals.has(grid.selection.value, position);
  const shownRow = isSample && store.current.value === position;
  const fault = cache.fault(position, Math.floor(wide[0] / COLUMNS));
  const classes = `${shownRow ? " penstock-current" : ""}${selected ? " penstock-selected" : ""}${head?.held ? " penstock-held" : ""}`;
  const cells = Array.from({ length: wide[1] - wide[0] }, (_, i) => wide[0] + i);
  return (
    <div
      class={`penstock-rows-row${classes}`}
      role="row"
      aria-rowindex={position + 2}
      aria-selected={isSample ? selected : undefined}
      data-position={position}
      title={head?.held ? "no longer matches; stays here until the grid is updated" : undefined}
      style={{ transform: `translateY(${y}px)`, width: `${places.head + places.total}px` }}
    >
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the table itself takes the keys */}
      <div
        class="penstock-row-head penstock-number"
        role="rowheader"
        aria-colindex={1}
        style={{ width: `${places.head}px` }}
        onClick={(event) => onPick(event, column)}
      >
        {head?.edited ? (
          <span class="penstock-row-edited" title="edited, not committed">
            ✎
          </span>
        ) : null}
        {head === undefined ? "" : countText(head.row)}
      </div>
      {cells.map((at) => {
        const info = list[at] as ColumnInfo;
        return (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the table itself takes the keys
          <div
            key={info.name}
            id={`${id}-${position}-${at}`}
            class={`penstock-rows-cell${info.numeric ? " penstock-number" : ""}${row === position && column === at ? " penstock-at" : ""}`}
            role="gridcell"
            aria-colindex={at + 2}
            style={{ left: `${places.head + (places.lefts[at] ?? 0)}px`, width: `${places.widths[at] ?? 0}px` }}
            onClick={(event) => onPick(event, at)}
            onDblClick={() => isSample && grid.openDetail()}
          >
            <CellText
              info={info}
              row={cache.row(position, Math.floor(at / COLUMNS))}
              at={at % COLUMNS}
              fault={at === wide[0] ? fault : null}
            />
          </div>
        );
      })}
    </div>
  );
}

/** Six digits; all of them are in the tooltip. */
function numberText(value: number): string {
  const short = Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
  return short.replace("-", "−");
}

function CellText({
  info,
  row,
  at,
  fault,
}: {
  info: ColumnInfo;
  row: TableRow | undefined;
  at: number;
  fault: string | null;
}) {
  if (fault !== null) return <span class="penstock-warned">{fault}</span>;
  if (row === undefined) return <span class="penstock-cell-wait" />;
  const value = row.cells[at];
  if (value === undefined) return <span class="penstock-null">not in this copy</span>;
  if (value === null) return <span class="penstock-null">missing</span>;
  const full = String(value);
  if (full === "") return <span class="penstock-null">{info.htype === "class_label" ? "no class" : "empty"}</span>;
  const text = typeof value === "number" ? numberText(value) : full;
  return <span title={text !== full || text.length > 16 ? full : undefined}>{text}</span>;
}
