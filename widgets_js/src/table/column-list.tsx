import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { ColumnInfo, ColumnProfile } from "../session/protocol.ts";
import type { Session } from "../session/session.ts";
import { focusable } from "../ui/focus.ts";
import { type BarCursor, barsOf, moveCursor } from "./bar-keys.ts";
import { type Columns, columnsOf } from "./columns.ts";
import { NoProfile, Profile } from "./profile.tsx";
import { barText, factsText } from "./profile-layout.ts";
import { directionOf, sortByColumn } from "./sort-column.ts";
import { moveRow } from "./table-geometry.ts";
import { useFresh } from "./use-fresh.ts";

const CHART = 250;
const ITEM = 62;

/** The columns, one below the other, each with its profile. */
export function ColumnList({ session }: { session: Session }) {
  const { store } = session;
  const columns = columnsOf(session);
  const at = useSignal(0);
  const bars = useSignal<BarCursor | null>(null);
  const port = useRef<HTMLDivElement>(null);
  const seen = useSignal<[number, number]>([0, 8]);
  useFresh(session, columns);
  const list = columns.list.value ?? [];
  useEffect(
    () => columns.want(list.slice(...seen.value).map(({ name }) => name)),
    [columns.list.value, seen.value, store.query.value],
  );
  useEffect(() => port.current?.focus({ preventScroll: true }), [list.length > 0]);
  const id = `penstock-columns-${store.rpc.viewId}`;
  const follow = (): void => {
    const { scrollTop = 0, clientHeight = 0 } = port.current ?? {};
    seen.value = [Math.max(0, Math.floor(scrollTop / ITEM) - 1), Math.ceil((scrollTop + clientHeight) / ITEM) + 1];
  };
  /** Whether the key was one of the bars of the current column. */
  const barKey = (event: KeyboardEvent): boolean => {
    const profile = columns.profiles.value.get(list[at.value]?.name ?? "");
    if (profile === undefined) return false;
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      bars.value = moveCursor(profile, bars.value, event.key, event.shiftKey);
      if (bars.value !== null) store.actions.announce(barText(profile, ...barsOf(bars.value)));
      return true;
    }
    if (event.key !== "Enter" || bars.value === null) return false;
    if (store.isLive.value) void columns.filter(profile.name, ...barsOf(bars.value));
    return true;
  };
  const itemKey = (event: KeyboardEvent): boolean => {
    const next = moveRow(event.key, at.value, list.length, 4);
    if (next === null) return false;
    at.value = next;
    bars.value = null;
    document.getElementById(`${id}-${next}`)?.scrollIntoView?.({ block: "nearest" });
    return true;
  };
  const onKey = (event: KeyboardEvent): void => {
    const info = list[at.value];
    if (event.key === " " && info !== undefined) void sortByColumn(session, info);
    else if (!barKey(event) && !itemKey(event)) return;
    event.preventDefault();
    event.stopPropagation();
  };
  if (list.length === 0)
    return <p class="penstock-note penstock-columns">{columns.fault.value ?? "Reading the columns…"}</p>;
  return (
    <div
      {...focusable}
      ref={port}
      class="penstock-columns"
      role="listbox"
      tabIndex={0}
      aria-label="Columns"
      aria-activedescendant={`${id}-${at.value}`}
      data-testid="penstock-columns"
      onKeyDown={onKey}
      onScroll={follow}
    >
      {list.map((info, i) => (
        <Item
          key={info.name}
          id={`${id}-${i}`}
          session={session}
          columns={columns}
          info={info}
          current={at.value === i}
          bars={at.value === i && bars.value !== null ? barsOf(bars.value) : null}
          onPoint={() => {
            at.value = i;
            bars.value = null;
          }}
        />
      ))}
    </div>
  );
}

function kindText(info: ColumnInfo, profile: ColumnProfile | undefined): string {
  if (profile?.kind === "date") return "date";
  if (info.shown !== "generic") return info.shown;
  return profile === undefined ? "" : KINDS[profile.kind];
}

const KINDS: Record<ColumnProfile["kind"], string> = {
  number: "number",
  date: "date",
  category: "true or false",
  length: "list",
  presence: "values",
};

interface ItemProps {
  id: string;
  session: Session;
  columns: Columns;
  info: ColumnInfo;
  current: boolean;
  bars: [number, number] | null;
  onPoint: () => void;
}

function Item({ id, session, columns, info, current, bars, onPoint }: ItemProps) {
  const profile = columns.profiles.value.get(info.name);
  const direction = directionOf(session, info);
  const clickable = session.store.isLive.value && profile?.selectable.some(Boolean) === true;
  const facts = profile === undefined ? "" : factsText(profile);
  return (
    <div
      id={id}
      class={`penstock-column${current ? " penstock-current" : ""}`}
      role="option"
      tabIndex={-1}
      {...focusable}
      aria-selected={current}
      aria-label={`${info.name}, ${info.shown}${facts === "" ? "" : `, ${facts}`}${direction === "none" ? "" : `, sorted ${direction}`}`}
      data-column={info.name}
      onPointerDown={onPoint}
    >
      <span class="penstock-column-name">
        {/* biome-ignore lint/a11y/noStaticElementInteractions: the list takes the keys: Space */}
        {/* biome-ignore lint/a11y/useKeyWithClickEvents: the list takes the keys: Space */}
        <b
          class={session.store.isLive.value ? "penstock-sortable" : ""}
          title={session.store.isLive.value ? `${info.name}\nclick: sort the grid` : info.name}
          data-testid="penstock-sort-column"
          onClick={() => void sortByColumn(session, info)}
        >
          <span>{info.name}</span>
          {direction === "none" ? null : <i aria-hidden="true"> {direction === "ascending" ? "▲" : "▼"}</i>}
        </b>
        <span title={info.shown}>{kindText(info, profile)}</span>
      </span>
      {profile === undefined ? (
        <NoProfile />
      ) : (
        <Profile
          profile={profile}
          width={CHART}
          active={bars}
          onSelect={clickable ? (first, last) => void columns.filter(info.name, first, last) : undefined}
        />
      )}
    </div>
  );
}
