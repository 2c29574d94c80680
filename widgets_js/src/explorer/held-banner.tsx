import { useEffect, useRef, useState } from "preact/hooks";
import type { DatasetInfo } from "../session/protocol.ts";
import type { Session } from "../session/session.ts";
import { focusable } from "../ui/focus.ts";
import { heldKey } from "./held-key.ts";

type Holder = NonNullable<DatasetInfo["holder"]>;

/** Another process has uncommitted edits: who, since when, and what can be done meanwhile. */
export function HeldBanner({ session, holder }: { session: Session; holder: Holder }) {
  const { store, edits } = session;
  const [asking, setAsking] = useState<"branch" | "over" | null>(null);
  const [refused, setRefused] = useState<string | null>(null);
  const answer = async (tried: Promise<string | null>): Promise<void> => {
    const why = await tried;
    setRefused(why);
    if (why === null) setAsking(null);
  };
  const ask = (what: "branch" | "over"): void => {
    setRefused(null);
    setAsking(what);
  };
  return (
    <section class="penstock-held" aria-label="Another process edits" data-testid="penstock-held">
      <p role="alert">
        <b>{holder.program === "" ? "Another process" : holder.program} has unsaved edits.</b> {where(holder)} Until
        they are committed you can read here.
      </p>
      {asking === null ? (
        <span class="penstock-held-choices">
          <Choice
            label="Read only"
            title="hide this line; it comes back with the chip in the header"
            run={() => {
              store.heldSeen.value = heldKey(holder);
            }}
          />
          <Choice label="New branch…" title="edit a branch of your own, and merge it later" run={() => ask("branch")} />
          <Choice label="Take over…" title="go on with its edits here" run={() => ask("over")} />
        </span>
      ) : asking === "branch" ? (
        <NewBranch make={(name) => void answer(edits.tryTo("draft.branch", { name }))} cancel={() => setAsking(null)} />
      ) : (
        <span class="penstock-held-choices">
          <span>Its edits become yours, and it can edit no more until you commit them.</span>
          <Choice label="Take over" run={() => void answer(edits.tryTo("draft.take_over", {}))} />
          <Choice label="Cancel" run={() => setAsking(null)} />
        </span>
      )}
      {refused === null ? null : (
        <p class="penstock-note" role="alert">
          {refused}
        </p>
      )}
    </section>
  );
}

/** The process and its time in the reader's own zone. */
export function where({ pid, host, since }: Holder): string {
  const time = new Date(since);
  const shown = Number.isNaN(time.getTime())
    ? since
    : time.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  return `Process ${pid} on ${host}, since ${shown}.`;
}

function Choice({ label, title, run }: { label: string; title?: string; run: () => void }) {
  return (
    <button {...focusable} type="button" class="penstock-button" title={title} onClick={run}>
      {label}
    </button>
  );
}

function NewBranch({ make, cancel }: { make: (name: string) => void; cancel: () => void }) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  return (
    <form
      class="penstock-held-choices"
      onSubmit={(event) => {
        event.preventDefault();
        const name = field.current?.value.trim() ?? "";
        if (name !== "") make(name);
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") cancel();
      }}
    >
      <label>
        name{" "}
        <input
          {...focusable}
          ref={field}
          type="text"
          class="penstock-field"
          maxLength={200}
          data-testid="penstock-branch"
        />
      </label>
      <button {...focusable} type="submit" class="penstock-button">
        Create branch
      </button>
      <Choice label="Cancel" run={cancel} />
    </form>
  );
}
