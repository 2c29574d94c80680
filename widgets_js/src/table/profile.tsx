import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { ColumnProfile } from "../session/protocol.ts";
import { countText } from "../ui/number-text.ts";
import {
  type BarPlace,
  barAt,
  barPlaces,
  barText,
  CHART_HEIGHT,
  factsText,
  isHistogram,
  selectable,
  summary,
} from "./profile-layout.ts";

interface ProfileProps {
  profile: ColumnProfile;
  width: number;
  /** Bars under the keyboard's cursor. */
  active?: [number, number] | null;
  /** Missing where bars only show. */
  onSelect?: ((first: number, last: number) => void) | undefined;
}

const NO_BARS: Record<ColumnProfile["kind"], string> = {
  category: "all values differ",
  presence: "",
  number: "no values",
  date: "no values",
  length: "no values",
};

/** The distribution of a column: all samples faint, the pool solid. A click on a bar, or a drag over several, selects them. */
export function Profile({ profile, width, active = null, onSelect }: ProfileProps) {
  const pointed = useSignal<[number, number] | null>(null);
  const from = useRef<number | null>(null);
  const places = barPlaces(profile, width);
  const shown = pointed.value ?? active;
  const bar = (event: PointerEvent): number | null =>
    barAt(places, event.clientX - (event.currentTarget as SVGElement).getBoundingClientRect().left);
  const follow = (event: PointerEvent): void => {
    const over = bar(event);
    if (over === null) pointed.value = null;
    else if (from.current === null) pointed.value = [over, over];
    else pointed.value = selectable(profile, from.current, over) ?? [from.current, from.current];
  };
  const done = (event: PointerEvent): void => {
    const start = from.current;
    from.current = null;
    if (start === null || onSelect === undefined) return;
    const wanted = selectable(profile, start, bar(event) ?? start);
    if (wanted !== null) onSelect(...wanted);
  };
  return (
    <div class="penstock-profile" data-testid="penstock-profile" data-column={profile.name}>
      {places.length === 0 ? (
        <span class="penstock-no-bars">{NO_BARS[profile.kind]}</span>
      ) : (
        <svg
          width={width}
          height={CHART_HEIGHT}
          aria-hidden="true"
          class={onSelect === undefined ? "" : "penstock-clickable"}
          onPointerDown={(event) => {
            if (event.button !== 0 || onSelect === undefined) return;
            from.current = bar(event);
            (event.currentTarget as SVGElement).setPointerCapture?.(event.pointerId);
            follow(event);
          }}
          onPointerMove={follow}
          onPointerUp={done}
          onPointerLeave={() => {
            if (from.current === null) pointed.value = null;
          }}
          onPointerCancel={() => {
            from.current = null;
            pointed.value = null;
          }}
        >
          <title>{factsText(profile)}</title>
          <Bars profile={profile} places={places} />
          <Span places={places} bars={profile.selected} kind="penstock-chosen-bars" />
          <Span places={places} bars={shown} kind="penstock-pointed-bars" />
        </svg>
      )}
      <Line profile={profile} pointed={shown} />
    </div>
  );
}

function Bars({ profile, places }: { profile: ColumnProfile; places: readonly BarPlace[] }) {
  return (
    <>
      <path class="penstock-raw-bars" d={path(places, "raw", false)} />
      <path class="penstock-pool-bars" d={path(places, "pool", false)} />
      <path class="penstock-raw-bars" d={path(places, "raw", true)} />
      <path class="penstock-special-bars" d={path(places, "pool", true)} />
      {isHistogram(profile) ? null : <Names profile={profile} places={places} />}
    </>
  );
}

function path(places: readonly BarPlace[], key: "raw" | "pool", special: boolean): string {
  return places
    .filter((place) => place.special === special && place[key] > 0)
    .map((place) => {
      const [x, w, h] = [place.x.toFixed(1), Math.max(1, place.width).toFixed(1), place[key].toFixed(1)];
      return `M${x} ${CHART_HEIGHT}v-${h}h${w}v${h}z`;
    })
    .join("");
}

const LETTER = 6.1;

/** The names of values that are frequent enough for one. */
function Names({ profile, places }: { profile: ColumnProfile; places: readonly BarPlace[] }) {
  return (
    <>
      {places.map((place, i) => {
        const label = profile.bars[i]?.label ?? "";
        const letters = Math.floor(place.width / LETTER);
        if (letters < Math.min(3, label.length)) return null;
        return (
          <text key={i} x={place.x} y={10}>
            {label.length <= letters ? label : `${label.slice(0, Math.max(1, letters - 1))}…`}
          </text>
        );
      })}
    </>
  );
}

function Span({
  places,
  bars,
  kind,
}: {
  places: readonly BarPlace[];
  bars: readonly [number, number] | null;
  kind: string;
}) {
  const first = bars === null ? undefined : places[bars[0]];
  const last = bars === null ? undefined : places[bars[1]];
  if (first === undefined || last === undefined) return null;
  return (
    <rect
      class={kind}
      x={first.x}
      width={Math.max(2, last.x + last.width - first.x)}
      y={0.5}
      height={CHART_HEIGHT - 1}
    />
  );
}

function Line({ profile, pointed }: { profile: ColumnProfile; pointed: readonly [number, number] | null }) {
  if (pointed !== null)
    return (
      <span class="penstock-profile-line penstock-number" title={barText(profile, ...pointed)}>
        <b>{barText(profile, ...pointed)}</b>
      </span>
    );
  const { low, high, note, warned } = summary(profile);
  const pool = profile.num_pool === profile.num_raw ? "" : ` in ${countText(profile.num_pool)}`;
  return (
    <span class="penstock-profile-line penstock-number" title={`${factsText(profile)}${pool}`}>
      <span>{low}</span>
      {note === "" ? null : <span class={warned ? "penstock-missing-share" : ""}>{note}</span>}
      <span>{high}</span>
    </span>
  );
}

/** A profile that is on its way, of the same height. */
export function NoProfile({ text = "" }: { text?: string }) {
  return (
    <div class="penstock-profile">
      <span class="penstock-no-bars">{text}</span>
      <span class="penstock-profile-line" />
    </div>
  );
}
