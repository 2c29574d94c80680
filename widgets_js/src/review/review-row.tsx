import type { ShownEntry } from "../session/review-session.ts";
import type { Session } from "../session/session.ts";
import { focusable } from "../ui/focus.ts";
import { UndoIcon } from "../ui/icons.tsx";
import { countText, pluralText } from "../ui/number-text.ts";
import { ReviewThumb } from "./review-thumb.tsx";

/** What of a row can have the focus, from left to right. */
export type Part = "check" | "name" | "discard";
export const PARTS: readonly Part[] = ["check", "name", "discard"];
const SHOWN_WORDS = 3;

interface RowProps {
  session: Session;
  entry: ShownEntry;
  place: number;
  top: number;
  /** The part of this row that Tab reaches, if it is the row that Tab reaches. */
  active: Part | null;
  open: (uid: string) => void;
  discard: (uid: string, place: number) => void;
  enter: (place: number, part: Part) => void;
}

export function ReviewRow({ session, entry, place, top, active, open, discard, enter }: RowProps) {
  const { review, store } = session;
  const { kind, uid, before, after, width, height, error, edited } = entry;
  const checked = !edited || review.isChecked(uid);
  const name = kind === "deleted" ? `sample ${countText(entry.row)}, deleted` : `sample ${countText(entry.row)}`;
  const live = store.isLive.value && store.dataset.value?.read_only === false;
  const stop = (part: Part): { tabIndex: number; "data-part": Part; onFocus: () => void } => ({
    tabIndex: active === part ? 0 : -1,
    "data-part": part,
    onFocus: () => enter(place, part),
  });
  return (
    <li
      class={`penstock-review-row${checked ? "" : " penstock-review-kept"}`}
      style={{ transform: `translateY(${top}px)` }}
      data-testid="penstock-review-row"
      data-row={entry.row}
      data-place={place}
      data-kind={kind}
    >
      <input
        {...focusable}
        {...stop("check")}
        type="checkbox"
        checked={checked}
        disabled={!edited}
        aria-label={`commit ${name}`}
        title={edited ? undefined : "part of every commit"}
        onChange={() => review.toggle(uid)}
      />
      <ReviewThumb
        side={before}
        other={after}
        width={width}
        height={height}
        error={error}
        label={`${name}, as committed`}
        empty="new sample"
      />
      <span class="penstock-review-arrow" aria-hidden="true">
        →
      </span>
      <ReviewThumb
        side={after}
        other={before}
        width={width}
        height={height}
        error={error}
        label={`${name}, as it is now`}
        empty="deleted"
      />
      <div class="penstock-review-words" title={allWords(entry)}>
        <button
          {...focusable}
          {...stop("name")}
          type="button"
          class="penstock-review-name"
          disabled={kind === "deleted"}
          title={kind === "deleted" ? undefined : "show this sample"}
          onClick={() => open(uid)}
        >
          {name}
        </button>
        <Words entry={entry} kept={!checked} />
      </div>
      {edited ? (
        <button
          {...focusable}
          {...stop("discard")}
          type="button"
          class="penstock-icon"
          disabled={!live}
          aria-label={`discard the edits of ${name}`}
          title="discard the edits of this sample; Undo brings them back"
          data-testid="penstock-review-discard"
          onClick={() => discard(uid, place)}
        >
          <UndoIcon />
        </button>
      ) : null}
    </li>
  );
}

export function Words({ entry, kept }: { entry: ShownEntry; kept: boolean }) {
  const edits = entry.words.filter(({ sign }) => sign !== "=");
  if (entry.kind !== "edited")
    edits.unshift({ sign: entry.kind === "added" ? "+" : "-", text: `${entry.kind} sample` });
  const lines = kept ? SHOWN_WORDS - 1 : SHOWN_WORDS;
  const fits = entry.more === 0 && edits.length <= lines;
  const shown = fits ? edits : edits.slice(0, SHOWN_WORDS - 1);
  const left = entry.more + edits.length - shown.length;
  const sum = entry.words.filter(({ sign }) => sign === "=").slice(0, lines - edits.length);
  return (
    <>
      {[...shown, ...(fits ? sum : [])].map(({ sign, text }, i) => (
        <span key={i} class={sign === "+" ? "penstock-review-plus" : sign === "-" ? "penstock-review-minus" : ""}>
          {SIGNS[sign]}
          {text}
        </span>
      ))}
      {kept ? <span>not in this commit</span> : left > 0 ? <span>{pluralText(left, "more change")}</span> : null}
    </>
  );
}

const SIGNS = { "+": "+ ", "-": "− ", "": "", "=": "" };

function allWords({ words, more }: ShownEntry): string {
  const said = words.map(({ sign, text }) => `${SIGNS[sign]}${text}`);
  return [...said, ...(more > 0 ? [`${countText(more)} more`] : [])].join("\n");
}
