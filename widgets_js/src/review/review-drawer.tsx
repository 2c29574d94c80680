import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ReviewPage } from "../session/protocol.ts";
import type { Session } from "../session/session.ts";
import { focusable } from "../ui/focus.ts";
import { CloseIcon } from "../ui/icons.tsx";
import { countText, pluralText } from "../ui/number-text.ts";
import { closeReview } from "./close-review.ts";
import { ConflictChoice } from "./conflict-choice.tsx";
import { PARTS, type Part, ReviewRow } from "./review-row.tsx";

const ROW = 82;
const BEYOND = 3; // rows drawn above and below what is in view
const SHOWN_COUNTS = 3;

/** What is not committed: each sample before and after, what it comes to, and the commit. */
export function ReviewDrawer({ session }: { session: Session }) {
  const { store, review } = session;
  const root = useRef<HTMLElement>(null);
  const { summary } = review;
  const total = totalOf(summary.value);
  const close = (): void => closeReview(session);
  useEffect(() => {
    void session.edits.settle();
    const place = root.current?.getBoundingClientRect();
    if (place !== undefined && (place.top >= window.innerHeight || place.bottom <= 0))
      root.current?.scrollIntoView?.({ block: "nearest" }); // in one column it is far below the pill
    focusMessage(root.current);
  }, [session]);
  return (
    <section
      ref={root}
      class="penstock-review"
      aria-label="Review of edits"
      data-testid="penstock-review-drawer"
      onKeyDown={(event) => {
        if (event.key !== "Escape" || event.defaultPrevented) return;
        event.preventDefault();
        event.stopPropagation();
        close();
      }}
    >
      <Head session={session} close={close} />
      {review.conflict.value === null ? (
        <>
          <List session={session} total={total} />
          <Counts summary={summary.value} />
          <Foot session={session} close={close} />
        </>
      ) : (
        <ConflictChoice
          conflict={review.conflict.value}
          choose={async (event, choice) => {
            event.preventDefault();
            if (await review.commit(choice)) finish(session);
          }}
          cancel={() => {
            review.conflict.value = null;
            requestAnimationFrame(() => focusMessage(root.current));
          }}
        />
      )}
      {store.isLive.value ? null : (
        <p class="penstock-note penstock-review-dead">The edits are kept as a draft; they wait for the kernel.</p>
      )}
    </section>
  );
}

/** After a commit the drawer stays as long as there is something in it. */
function finish(session: Session): void {
  const { dataset } = session.store;
  if (dataset.value?.uncommitted !== true) closeReview(session);
}

function focusMessage(root: HTMLElement | null): void {
  root?.querySelector<HTMLElement>("[data-testid=penstock-commit-message]")?.focus({ preventScroll: true });
}

function totalOf(summary: ReviewPage | null): number {
  return summary === null ? 0 : summary.num_edited + summary.num_added + summary.num_deleted;
}

function Head({ session, close }: { session: Session; close: () => void }) {
  const { review } = session;
  const edited = review.summary.value?.num_edited ?? 0;
  const checked = review.numChecked.value;
  const box = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    if (box.current !== null) box.current.indeterminate = checked > 0 && checked < edited;
  }, [checked, edited]);
  const title =
    edited === 0 ? "Uncommitted changes" : `${countText(checked)} of ${pluralText(edited, "edit")} selected`;
  return (
    <header class="penstock-review-head">
      {edited === 0 ? null : (
        <input
          {...focusable}
          ref={box}
          type="checkbox"
          checked={checked === edited}
          aria-label="commit all edits"
          data-testid="penstock-review-all"
          onChange={() => review.toggleAll()}
        />
      )}
      <h2 data-testid="penstock-review-count">{title}</h2>
      <span class="penstock-grow" />
      <kbd>Esc</kbd>
      <button
        {...focusable}
        type="button"
        class="penstock-icon"
        aria-label="Close the review"
        title="back to the grid (Esc)"
        data-testid="penstock-review-close"
        onClick={close}
      >
        <CloseIcon />
      </button>
    </header>
  );
}

function List({ session, total }: { session: Session; total: number }) {
  const { review, store } = session;
  const scroller = useRef<HTMLDivElement>(null);
  const space = useRef<HTMLUListElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(400);
  const [active, setActive] = useState<{ place: number; part: Part }>({ place: 0, part: "check" });
  const toFocus = useRef(false);
  useEffect(() => {
    const element = scroller.current;
    if (element === null || typeof ResizeObserver === "undefined") return undefined;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const others = review.summary.value?.others ?? [];
  const at = Math.max(0, top - (space.current?.offsetTop ?? 0));
  const first = Math.max(0, Math.floor(at / ROW) - BEYOND);
  const stop = Math.min(total, Math.ceil((at + height) / ROW) + BEYOND);
  const here = Math.min(active.place, Math.max(0, total - 1));
  const data = store.grid.value?.data;
  useEffect(() => {
    if (store.isLive.value && stop > first) review.want(first, stop);
  }, [review, first, stop, data, store.isLive.value]);
  useLayoutEffect(() => {
    if (!toFocus.current) return;
    toFocus.current = false;
    focusPart(space.current, here, active.part);
  });
  const places = Array.from({ length: Math.max(0, stop - first) }, (_, i) => first + i);
  if (total > 0 && (here < first || here >= stop)) places.push(here); // Tab finds it wherever the list is scrolled to
  const go = (place: number, part: Part): void => {
    const to = Math.max(0, Math.min(total - 1, place));
    toFocus.current = true;
    setActive({ place: to, part });
    reveal(scroller.current, (space.current?.offsetTop ?? 0) + to * ROW);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const page = Math.max(1, Math.floor(height / ROW) - 1);
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -total, End: total }[event.key];
    const side = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by !== undefined) go(here + by, active.part);
    else if (side !== undefined) {
      const part = PARTS[PARTS.indexOf(active.part) + side];
      if (part !== undefined) focusPart(space.current, here, part);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      const entry = review.entry(here);
      if (entry?.edited) discard(entry.uid, here);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const discard = (uid: string, place: number): void => {
    void review.discard(uid).then((reply) => {
      if (reply === null) return;
      if (reply.dataset.uncommitted) go(place, "discard");
      else closeReview(session);
    });
  };
  const open = (uid: string): void => {
    store.region.value = "grid";
    void session.detail.showSample(uid);
  };
  return (
    <div
      ref={scroller}
      class="penstock-review-list"
      data-testid="penstock-review-list"
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
    >
      {review.fault.value === null ? null : <p class="penstock-note penstock-bad">{review.fault.value}</p>}
      {others.length === 0 ? null : <Others others={others} total={review.summary.value?.num_others ?? 0} />}
      {total === 0 ? null : (
        <ul ref={space} style={{ height: `${total * ROW}px` }} aria-label="Samples" onKeyDown={onKeyDown}>
          {places.map((place) => {
            const entry = review.entry(place);
            if (entry === undefined)
              return (
                <li key={place} class="penstock-review-row" style={{ transform: `translateY(${place * ROW}px)` }}>
                  <span class="penstock-note">…</span>
                </li>
              );
            return (
              <ReviewRow
                key={entry.uid + entry.kind}
                session={session}
                entry={entry}
                place={place}
                top={place * ROW}
                active={place === here ? reachable(entry, active.part) : null}
                open={open}
                discard={discard}
                enter={(to, part) => setActive({ place: to, part })}
              />
            );
          })}
        </ul>
      )}
    </div>
  );
}

/** What Tab reaches of a row: the part that had the focus last, if the row has it. */
function reachable({ edited, kind }: { edited: boolean; kind: string }, part: Part): Part {
  if (edited) return part;
  return kind === "deleted" ? "check" : "name";
}

function focusPart(list: HTMLElement | null, place: number, part: Part): void {
  const row = list?.querySelector(`[data-place='${place}']`);
  const wanted = row?.querySelector<HTMLElement>(`[data-part='${part}']:not(:disabled)`);
  (wanted ?? row?.querySelector<HTMLElement>("[data-part]:not(:disabled)"))?.focus({ preventScroll: true });
}

function reveal(scroller: HTMLElement | null, top: number): void {
  if (scroller === null) return;
  if (top < scroller.scrollTop) scroller.scrollTop = top;
  else if (top + ROW > scroller.scrollTop + scroller.clientHeight)
    scroller.scrollTop = top + ROW - scroller.clientHeight;
}

/** What is part of every commit beside samples: classes, tensors, notes. */
function Others({ others, total }: { others: string[]; total: number }) {
  return (
    <ul class="penstock-review-others" aria-label="Part of every commit" data-testid="penstock-review-others">
      {others.map((words) => (
        <li key={words}>
          {words.charAt(0).toUpperCase()}
          {words.slice(1)}
        </li>
      ))}
      {total > others.length ? <li>and {pluralText(total - others.length, "more change")}</li> : null}
    </ul>
  );
}

function Counts({ summary }: { summary: ReviewPage | null }) {
  const moved = summary?.moved ?? [];
  if (summary === null || moved.length === 0) return <p class="penstock-review-counts" />;
  const shown = moved.slice(0, SHOWN_COUNTS);
  const more = summary.num_moved - shown.length;
  const words = shown.map(([name, before, after]) => `${name} ${countText(before)} → ${countText(after)}`);
  return (
    <p
      class="penstock-review-counts"
      data-testid="penstock-review-counts"
      title={moved.map(([name, before, after]) => `${name} ${countText(before)} → ${countText(after)}`).join("\n")}
    >
      The class table already counts these edits: <b>{words[0]}</b>
      {words.slice(1).map((one) => `, ${one}`)}
      {more > 0 ? ` and ${countText(more)} more` : ""}. Weights stay as they are.
    </p>
  );
}

function Foot({ session, close }: { session: Session; close: () => void }) {
  const { review, store } = session;
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const summary = review.summary.value;
  const checked = review.numChecked.value;
  const beside = (summary?.num_added ?? 0) + (summary?.num_deleted ?? 0) + (summary?.num_others ?? 0);
  const live = store.isLive.value && store.dataset.value?.read_only === false;
  const nothing = checked === 0 && beside === 0;
  const blank = review.message.value.trim() === "";
  const ready = live && !nothing && !blank && !busy && summary !== null;
  const what = checked > 0 ? pluralText(checked, "edit") : "changes";
  const commit = async (event: Event): Promise<void> => {
    event.preventDefault();
    event.stopPropagation();
    if (!ready) return;
    setBusy(true);
    if (await review.commit()) finish(session);
    setBusy(false);
    field.current?.focus({ preventScroll: true }); // the button that had the focus is off now
  };
  const answer = async (yes: boolean): Promise<void> => {
    setAsking(false);
    field.current?.focus({ preventScroll: true });
    if (!yes) return;
    await review.discardChecked();
    if (store.dataset.value?.uncommitted === false) close();
  };
  return (
    <form class="penstock-review-foot" data-testid="penstock-commit-form" onSubmit={(event) => void commit(event)}>
      <textarea
        {...focusable}
        ref={field}
        class="penstock-field"
        rows={2}
        aria-label="Commit message"
        placeholder={nothing ? "nothing is selected" : "what did you change, and why?"}
        value={review.message.value}
        disabled={!live}
        data-testid="penstock-commit-message"
        onInput={(event) => {
          review.message.value = event.currentTarget.value;
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter" && !event.shiftKey) void commit(event);
        }}
      />
      {asking ? (
        <div class="penstock-row" role="alertdialog" aria-label={`Discard ${what}?`}>
          <span class="penstock-review-asked">Discard {what}? Undo brings labels and boxes back.</span>
          <span class="penstock-grow" />
          <button
            {...focusable}
            type="button"
            class="penstock-button penstock-danger"
            data-testid="penstock-discard-now"
            onClick={() => void answer(true)}
          >
            Discard
          </button>
          <button
            {...focusable}
            ref={(element) => element?.focus({ preventScroll: true })}
            type="button"
            class="penstock-button"
            onClick={() => void answer(false)}
          >
            Keep
          </button>
        </div>
      ) : (
        <div class="penstock-row">
          <button
            {...focusable}
            type="button"
            class="penstock-link penstock-danger"
            disabled={checked === 0 || !live}
            title="discard the selected edits"
            data-testid="penstock-discard"
            onClick={() => setAsking(true)}
          >
            Discard {countText(checked)}…
          </button>
          <span class="penstock-grow" />
          <span class="penstock-note penstock-review-saved">draft saved{timeText(review.savedAt.value)}</span>
          <button
            {...focusable}
            type="submit"
            class="penstock-button penstock-primary"
            disabled={!ready}
            title={blank && !nothing ? "write a message first" : undefined}
            data-testid="penstock-commit-now"
          >
            Commit {what}
          </button>
        </div>
      )}
    </form>
  );
}

function timeText(at: Date | null): string {
  if (at === null) return "";
  return ` ${String(at.getHours()).padStart(2, "0")}:${String(at.getMinutes()).padStart(2, "0")}`;
}
