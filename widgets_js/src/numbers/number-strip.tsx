import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { ColumnInfo, ColumnProfile } from "../session/protocol.ts";
import type { Session } from "../session/session.ts";
import { numberName } from "../session/signals.ts";
import { type BarCursor, barsOf, moveCursor } from "../table/bar-keys.ts";
import { columnsOf } from "../table/columns.ts";
import { NoProfile, Profile } from "../table/profile.tsx";
import { barText, factsText } from "../table/profile-layout.ts";
import { sortOf } from "../table/sort-column.ts";
import { useFresh } from "../table/use-fresh.ts";
import { focusable } from "../ui/focus.ts";
import { useMeasuredWidth } from "../ui/measured-width.ts";
import { countText, pluralText } from "../ui/number-text.ts";
import { shownNumber } from "./shown-number.ts";

/** A number of the samples: how it is distributed, with a brush that writes WHERE, and one click to the hard ones. */
export function NumberStrip({ session }: { session: Session }) {
  const { store, grid } = session;
  const columns = columnsOf(session);
  const number = shownNumber(session);
  useFresh(session, columns);
  const { shown, all, closed } = number;
  const info = shown.value;
  const sorted = info !== null && grid.sort.value === sortOf(session, info);
  useEffect(() => {
    if (sorted) closed.value = false;
  }, [sorted]);
  useEffect(() => {
    if (info !== null) columns.want([info.name]);
  }, [info?.name, columns.list.value, store.query.value]);
  if (info === null || closed.value || store.isTable.value) return null;
  const profile = columns.profiles.value.get(info.name);
  return (
    <section class="penstock-number-strip" aria-label={`Number ${numberName(info)}`} data-testid="penstock-number">
      <div class="penstock-number-tools">
        <span class="penstock-select">
          <select
            {...focusable}
            aria-label="number"
            data-testid="penstock-number-choice"
            value={info.name}
            onChange={(event) => choose(session, event.currentTarget.value)}
          >
            {all.value.map((one) => (
              <option key={one.name} value={one.name}>
                {numberName(one)}
              </option>
            ))}
          </select>
        </span>
        <Stale session={session} info={info} />
        <div class="penstock-number-clicks">
          <Hardest session={session} info={info} />
          {info.htype === "signal" ? <NeverSeen session={session} info={info} profile={profile} /> : null}
        </div>
      </div>
      <Brush session={session} info={info} profile={profile} />
      <button
        {...focusable}
        type="button"
        class="penstock-chip-remove"
        aria-label="Close the histogram"
        title="close the histogram"
        onClick={() => {
          closed.value = true;
          if (sorted) void grid.sortBy("query", false);
        }}
      >
        ✕
      </button>
    </section>
  );
}

/** Samples that are sorted by one number are then sorted by the other. */
function choose(session: Session, name: string): void {
  const { all, shown, chosen } = shownNumber(session);
  const before = shown.peek();
  const after = all.peek().find((one) => one.name === name);
  chosen.value = name;
  if (before === null || after === undefined) return;
  if (session.grid.sort.peek() === sortOf(session, before))
    void session.grid.sortBy(sortOf(session, after), session.grid.descending.peek());
}

/** The largest first: one click, and again as queried. */
function Hardest({ session, info }: { session: Session; info: ColumnInfo }) {
  const { store, grid } = session;
  const on = grid.sort.value === sortOf(session, info) && grid.descending.value;
  return (
    <button
      {...focusable}
      type="button"
      class="penstock-pressed-link"
      aria-pressed={on}
      title={on ? "as queried again" : `largest ${numberName(info)} first`}
      disabled={!store.isLive.value}
      data-testid="penstock-hard-first"
      onClick={() => void (on ? grid.sortBy("query", false) : grid.sortBy(sortOf(session, info), true))}
    >
      {info.htype === "signal" ? "hard first" : "highest first"}
    </button>
  );
}

interface BrushProps {
  session: Session;
  info: ColumnInfo;
  profile: ColumnProfile | undefined;
}

function NeverSeen({ session, info, profile }: BrushProps) {
  const place = profile?.bars.findIndex(({ special }) => special === "missing") ?? -1;
  const on = place >= 0 && profile?.selected?.[0] === place && profile.selected[1] === place;
  const count = profile?.bars[place]?.raw ?? 0;
  return (
    <button
      {...focusable}
      type="button"
      class="penstock-pressed-link"
      aria-pressed={on}
      title={
        place < 0
          ? `every sample has a ${numberName(info)}`
          : `only samples without a ${numberName(info)}; writes WHERE`
      }
      disabled={!session.store.isLive.value || place < 0}
      data-testid="penstock-never-seen"
      onClick={() => void columnsOf(session).filter(info.name, place, place)}
    >
      never seen{count > 0 ? <span class="penstock-number"> {countText(count)}</span> : null}
    </button>
  );
}

/** Samples whose labels were edited after the number was reported. */
function Stale({ session, info }: { session: Session; info: ColumnInfo }) {
  const stale = session.store.dataset.value?.signals?.stale ?? 0;
  if (info.htype !== "signal" || stale === 0) return null;
  const words = `${pluralText(stale, "sample")} edited since ${numberName(info)} was reported`;
  return (
    <span class="penstock-stale" title={words} data-testid="penstock-stale">
      {countText(stale)} stale
    </span>
  );
}

/** Drag, or arrows with Shift; Enter writes WHERE, and takes it out where it is written. */
function Brush({ session, info, profile }: BrushProps) {
  const { store } = session;
  const columns = columnsOf(session);
  const cursor = useSignal<BarCursor | null>(null);
  const [frame, width] = useMeasuredWidth<HTMLDivElement>(280);
  const bars = cursor.value === null ? null : barsOf(cursor.value);
  const able = store.isLive.value && profile?.selectable.some(Boolean) === true;
  const select = (first: number, last: number): void => void columns.filter(info.name, first, last);
  const onKey = (event: KeyboardEvent): void => {
    if (profile === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = moveCursor(profile, cursor.value, event.key, event.shiftKey);
    if (next !== null) cursor.value = next;
    else if (event.key === "Escape" && cursor.value !== null) cursor.value = null;
    else if (event.key === "Enter" && bars !== null && able) select(...bars);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const last = Math.max(0, (profile?.bars.length ?? 1) - 1);
  const told = bars ?? profile?.selected ?? null;
  return (
    <div
      {...focusable}
      ref={frame}
      class="penstock-brush"
      role="slider"
      tabIndex={0}
      aria-label={`${numberName(info)}: arrows choose bars, Shift takes in more, Enter filters`}
      aria-valuemin={0}
      aria-valuemax={last}
      aria-valuenow={cursor.value?.at ?? told?.[1] ?? 0}
      aria-valuetext={
        profile === undefined
          ? "reading"
          : told === null
            ? factsText(profile) || "no values"
            : barText(profile, ...told)
      }
      aria-disabled={!able}
      data-testid="penstock-brush"
      onKeyDown={onKey}
      onBlur={() => {
        cursor.value = null;
      }}
    >
      {profile === undefined ? (
        <NoProfile text={columns.fault.value ?? ""} />
      ) : (
        <Profile profile={profile} width={width} active={bars} onSelect={able ? select : undefined} />
      )}
    </div>
  );
}
