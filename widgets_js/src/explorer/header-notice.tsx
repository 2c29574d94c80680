import type { Session } from "../session/session.ts";
import type { Store } from "../session/store.ts";
import { focusable } from "../ui/focus.ts";
import { pluralText } from "../ui/number-text.ts";
import { useCut, Whole } from "../ui/readable.tsx";

export type Notice =
  | { kind: "dead"; text: string; more: string }
  | { kind: "behind"; text: string; more: string; remedy: "update" | "take over" | null };

/** What must be known before anything else, and there is one place for it in the header: the kernel is gone, or what is
 * shown is not what the dataset is. */
export function noticeOf(store: Store): Notice | null {
  if (store.link.value === "dead") return dead(store);
  if (!store.isLive.value) return null;
  const behind = store.dataset.value?.behind ?? null;
  if (behind === null) return null;
  return { kind: "behind", text: `${capital(behind.message)}.`, more: "", remedy: behind.remedy };
}

function dead(store: Store): Notice {
  const edits = store.dataset.value?.num_edits ?? 0;
  return {
    kind: "dead",
    text: "Kernel restarted: run this cell again.",
    more: [
      edits > 0 ? `${pluralText(edits, "edit")} kept as a draft` : "",
      store.unanswered.value ? "Check your last change: it was not confirmed" : "",
    ]
      .filter(Boolean)
      .join(". "),
  };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function HeaderNotice({ session, notice }: { session: Session; notice: Notice }) {
  const [line, cut] = useCut<HTMLSpanElement>(notice.text);
  return (
    <span class="penstock-notice" role="alert" data-testid={`penstock-${notice.kind}`}>
      <span class="penstock-notice-text" ref={line} title={[notice.text, notice.more].filter(Boolean).join(" ")}>
        <b>{notice.text}</b> {notice.more}
      </span>
      {cut ? <Whole testid="penstock-notice-more">{[notice.text, notice.more].filter(Boolean).join(" ")}</Whole> : null}
      {notice.kind === "behind" && notice.remedy !== null ? (
        <button
          {...focusable}
          type="button"
          class="penstock-link"
          data-testid="penstock-update"
          onClick={() =>
            void session.edits.apply(notice.remedy === "update" ? "dataset.update" : "draft.take_over", {})
          }
        >
          {notice.remedy === "update" ? "Update" : "Take over"}
        </button>
      ) : null}
    </span>
  );
}

/** The same in a line of its own, for a widget without a header. */
export function NoticeLine({ session }: { session: Session }) {
  const notice = noticeOf(session.store);
  if (notice === null) return null;
  return (
    <div class="penstock-notice-line">
      <HeaderNotice session={session} notice={notice} />
    </div>
  );
}
