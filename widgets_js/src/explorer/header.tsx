import { useEffect, useRef, useState } from "preact/hooks";
import type { RpcError } from "../session/protocol.ts";
import type { Session } from "../session/session.ts";
import type { Store } from "../session/store.ts";
import { focusable } from "../ui/focus.ts";
import { countText, pluralText } from "../ui/number-text.ts";
import { ConflictChoice } from "./conflict-choice.tsx";
import { DatasetName } from "./dataset-info.tsx";
import { ExportMenu } from "./export-menu.tsx";

/** `editing`: only what edits labels, nothing of sampling. */
export function Header({ session, editing = false }: { session: Session; editing?: boolean }) {
  const { store } = session;
  const [committing, setCommitting] = useState(false);
  const dataset = store.dataset.value;
  const known = dataset ?? store.snapshot.value?.dataset;
  const weighted = store.weights.value.some((weight) => weight !== 1);
  const edits = dataset?.num_edits ?? 0;
  const uncommitted = dataset?.uncommitted ?? false;
  return (
    <>
      <div class="penstock-head" data-testid="penstock-header">
        <Mark />
        <DatasetName session={session} name={known?.name ?? "penstock"} />
        {known === undefined ? null : (
          <>
            <span class="penstock-chip" title="branch and version">
              {dataset?.branch} <b>{known.version}</b>
            </span>
            <span class="penstock-chip">
              <b>{countText(known.num_samples)}</b> samples
            </span>
          </>
        )}
        {uncommitted ? <Uncommitted edits={edits} /> : null}
        {dataset?.read_only ? <span class="penstock-chip">read-only</span> : null}
        <span class="penstock-grow" />
        {editing ? null : <Seed store={store} />}
        <CommitButton store={store} open={committing} toggle={() => setCommitting(!committing)} />
        {editing ? null : <ExportMenu session={session} primary={weighted} />}
      </div>
      {committing && uncommitted ? <CommitForm session={session} onDone={() => setCommitting(false)} /> : null}
    </>
  );
}

function Uncommitted({ edits }: { edits: number }) {
  return (
    <span class="penstock-chip penstock-warn-chip" data-testid="penstock-edits">
      {edits > 0 ? pluralText(edits, "uncommitted edit") : "uncommitted changes"}
    </span>
  );
}

function CommitButton({ store, open, toggle }: { store: Store; open: boolean; toggle: () => void }) {
  const dataset = store.dataset.value;
  const uncommitted = dataset?.uncommitted ?? false;
  return (
    <button
      {...focusable}
      type="button"
      class="penstock-button"
      data-testid="penstock-commit"
      disabled={!uncommitted || !store.isLive.value}
      title={uncommitted ? `commit ${changes(dataset?.num_edits ?? 0)}` : "nothing to commit"}
      aria-expanded={open}
      onClick={toggle}
    >
      Commit…
    </button>
  );
}

function changes(edits: number): string {
  return edits > 0 ? pluralText(edits, "edit") : "the changes";
}

function Seed({ store }: { store: Store }) {
  const set = (event: { currentTarget: HTMLInputElement }): void => {
    const seed = Number(event.currentTarget.value);
    if (event.currentTarget.value !== "" && Number.isSafeInteger(seed) && seed >= 0) store.actions.setSeed(seed);
    else event.currentTarget.value = String(store.seed.value);
  };
  return (
    <label class="penstock-chip penstock-seed" title="seed of the draws">
      seed
      <input
        {...focusable}
        type="text"
        inputMode="numeric"
        pattern="[0-9]*"
        size={Math.max(2, String(store.seed.value).length)}
        value={store.seed.value}
        disabled={!store.isLive.value}
        data-testid="penstock-seed"
        onChange={set}
      />
    </label>
  );
}

function CommitForm({ session, onDone }: { session: Session; onDone: () => void }) {
  const [message, setMessage] = useState("");
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus({ preventScroll: true }), []);
  const edits = session.store.dataset.value?.num_edits ?? 0;
  const [conflict, setConflict] = useState<RpcError | null>(null);
  const commit = async (event: Event, choice?: "ours" | "theirs"): Promise<void> => {
    event.preventDefault();
    const reply = await session.edits.commit(message, choice);
    if (reply === null) return;
    if ("code" in reply) setConflict(reply);
    else onDone();
  };
  if (conflict !== null) return <ConflictChoice conflict={conflict} choose={commit} cancel={() => setConflict(null)} />;
  const discard = async (): Promise<void> => {
    if ((await session.edits.apply("edit.discard", {})) !== null) onDone();
  };
  return (
    <form class="penstock-commit" data-testid="penstock-commit-form" onSubmit={(event) => void commit(event)}>
      <input
        {...focusable}
        ref={field}
        class="penstock-field penstock-grow"
        aria-label="Commit message"
        placeholder={`what did you change? (${changes(edits)})`}
        value={message}
        onInput={(event) => setMessage(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") onDone();
          // a notebook may keep Enter from submitting the form
          if (event.key === "Enter" && message.trim() !== "") void commit(event);
        }}
        data-testid="penstock-commit-message"
      />
      <button
        {...focusable}
        type="submit"
        class="penstock-button penstock-primary"
        disabled={message.trim() === ""}
        data-testid="penstock-commit-now"
      >
        Commit
      </button>
      <button {...focusable} type="button" class="penstock-button" onClick={onDone}>
        Cancel
      </button>
      {edits === 0 ? null : (
        <button
          {...focusable}
          type="button"
          class="penstock-link penstock-danger"
          title="discard all edits; Undo restores them"
          onClick={() => void discard()}
        >
          Discard {pluralText(edits, "edit")}
        </button>
      )}
    </form>
  );
}

function Mark() {
  return (
    <svg class="penstock-mark" viewBox="0 0 18 18" aria-hidden="true">
      <path d="M2 3h14M4 3v12M14 3v12" stroke="currentColor" stroke-width="1.8" fill="none" stroke-linecap="round" />
      <rect x="6.2" y="5" width="5.6" height="6" rx="1" fill="currentColor" />
      <path d="M6 14.5c1-.9 2-.9 3 0s2 .9 3 0" stroke="currentColor" stroke-width="1.4" fill="none" />
    </svg>
  );
}
