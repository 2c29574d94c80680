import type { ColumnInfo } from "../session/protocol.ts";
import type { Session } from "../session/session.ts";
import type { Columns } from "./columns.ts";
import { NoProfile, Profile } from "./profile.tsx";
import { factsText } from "./profile-layout.ts";
import { directionOf, sortByColumn } from "./sort-column.ts";

const PADDING = 20; // both sides

interface HeaderCellProps {
  id: string;
  session: Session;
  columns: Columns;
  info: ColumnInfo;
  index: number;
  left: number;
  width: number;
  current: boolean;
  bars: [number, number] | null;
  onPoint: () => void;
}

/** The name of a column over its profile. */
export function HeaderCell({
  id,
  session,
  columns,
  info,
  index,
  left,
  width,
  current,
  bars,
  onPoint,
}: HeaderCellProps) {
  const profile = columns.profiles.value.get(info.name);
  const { isLive } = session.store;
  const direction = directionOf(session, info);
  const next = { none: "sort ascending", ascending: "sort descending", descending: "as queried again" }[direction];
  const clickable = isLive.value && profile?.selectable.some(Boolean) === true;
  return (
    <div
      id={id}
      class={`penstock-column-head${current ? " penstock-current" : ""}`}
      role="columnheader"
      aria-colindex={index + 2}
      aria-sort={direction}
      aria-label={headerName(columns, info)}
      data-column={info.name}
      style={{ left: `${left}px`, width: `${width}px` }}
      onPointerDown={onPoint}
    >
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the table takes the keys: Space in a header */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the table takes the keys: Space in a header */}
      <span
        class={`penstock-column-title${isLive.value ? " penstock-sortable" : ""}`}
        title={`${info.name}: ${info.shown}${isLive.value ? `\nclick: ${next}` : ""}`}
        data-testid="penstock-sort-column"
        onClick={() => void sortByColumn(session, info)}
      >
        <span>{info.name}</span>
        <i aria-hidden="true">{direction === "none" ? "" : direction === "ascending" ? "▲" : "▼"}</i>
      </span>
      {profile === undefined ? (
        <NoProfile text={columns.fault.value === null ? "" : "not counted"} />
      ) : (
        <Profile
          profile={profile}
          width={width - PADDING}
          active={bars}
          onSelect={clickable ? (first, last) => void columns.filter(info.name, first, last) : undefined}
        />
      )}
    </div>
  );
}

export function headerName(columns: Columns, info: ColumnInfo | undefined): string {
  if (info === undefined) return "";
  const profile = columns.profiles.peek().get(info.name);
  const facts = profile === undefined ? "" : factsText(profile);
  return `${info.name}, ${info.shown}${facts === "" ? "" : `, ${facts}`}`;
}
