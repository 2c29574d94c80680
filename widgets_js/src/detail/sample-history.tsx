import { useEffect, useState } from "preact/hooks";
import { whyNot } from "../session/answers.ts";
import type { HistoryEntry, Ops } from "../session/protocol.ts";
import { isCancelled, RpcFailure } from "../session/rpc.ts";
import type { Session } from "../session/session.ts";
import type { ShownSample } from "../session/shown-sample.ts";
import { focusable } from "../ui/focus.ts";
import { countText, pluralText } from "../ui/number-text.ts";
import { Popover } from "../ui/popover.tsx";

/** Who changed a sample, when and how. It is asked for when it is opened. */
export function SampleHistory({ session, sample }: { session: Session; sample: ShownSample }) {
  const why = whyNot(session.store, "sample.history");
  return (
    <Popover
      class="penstock-icon-button"
      title={why ?? "history of this sample"}
      name="History of this sample"
      disabled={why !== null}
      testid="penstock-sample-history"
      label={
        <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
          <circle cx="7" cy="7" r="5.5" fill="none" stroke="currentColor" stroke-width="1.3" />
          <path d="M7 3.8V7l2.2 1.5" fill="none" stroke="currentColor" stroke-width="1.3" />
        </svg>
      }
    >
      {() => <Entries session={session} sample={sample} />}
    </Popover>
  );
}

type Answer = Ops["sample.history"][1] | { refused: string } | null;

function Entries({ session, sample }: { session: Session; sample: ShownSample }) {
  const { store } = session;
  const [answer, setAnswer] = useState<Answer>(null);
  const { uid, row, state } = sample;
  const version = store.dataset.value?.version;
  useEffect(() => {
    let wanted = true;
    store.rpc.call("sample.history", { uid }, { lane: "history" }).then(
      ({ result }) => wanted && setAnswer(result),
      (failure) => {
        if (wanted && !isCancelled(failure))
          setAnswer({ refused: failure instanceof RpcFailure ? failure.error.message : String(failure) });
      },
    );
    return () => {
      wanted = false;
    };
  }, [store, uid, state, version]);
  const name = `History of sample ${countText(row)}`;
  return (
    <div class="penstock-history" data-testid="penstock-history-list">
      <h3>{name}</h3>
      {answer === null ? (
        <p class="penstock-note" aria-busy="true">
          …
        </p>
      ) : "refused" in answer ? (
        <p class="penstock-note penstock-warned">{answer.refused}</p>
      ) : (
        <ol {...focusable} tabIndex={0} aria-label={name}>
          {answer.entries.map((entry) => (
            <Entry key={entry.commit ?? ""} entry={entry} />
          ))}
          {answer.more > 0 ? (
            <li class="penstock-note">{`${countText(answer.more)} earlier: ds.history(${row})`}</li>
          ) : null}
        </ol>
      )}
    </div>
  );
}

function Entry({ entry }: { entry: HistoryEntry }) {
  const { commit, author, time, message, branch, kind, words, more } = entry;
  const signs = { added: "+", restored: "+", deleted: "-", edited: "" } as const;
  const said = kind === "edited" ? words : [{ sign: signs[kind], text: `${kind} sample` }, ...words];
  return (
    <li data-kind={kind}>
      <p class="penstock-history-commit">
        <b title={message}>{commit === null ? "uncommitted" : message || "no message"}</b>
        <span title={commit === null ? undefined : `commit ${commit} on ${branch}`}>{aboutText(author, time)}</span>
      </p>
      <p class="penstock-history-words">
        {said.map(({ sign, text }, i) => (
          <span key={i} class={sign === "+" ? "penstock-review-plus" : sign === "-" ? "penstock-review-minus" : ""}>
            {sign === "-" ? "− " : sign === "+" ? "+ " : ""}
            {text}
          </span>
        ))}
        {more > 0 ? <span>{pluralText(more, "more change")}</span> : null}
      </p>
    </li>
  );
}

/** The author, and the time in the reader's own zone. */
function aboutText(author: string, time: string | null): string {
  if (time === null) return "";
  const date = new Date(time);
  const shown = Number.isNaN(date.getTime())
    ? time
    : date.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  return `${author}, ${shown}`;
}
