import { TrainingChip } from "../live/training-chip.tsx";
import { closeReview } from "../review/close-review.ts";
import type { Session } from "../session/session.ts";
import type { Store } from "../session/store.ts";
import { focusable } from "../ui/focus.ts";
import { RedoIcon, UndoIcon } from "../ui/icons.tsx";
import { countText, pluralText } from "../ui/number-text.ts";
import { DatasetName } from "./dataset-info.tsx";
import { ExportMenu } from "./export-menu.tsx";
import { HeaderNotice, noticeOf } from "./header-notice.tsx";

/**
 * One line of 40 px at every width: what there is no room for goes, the least important first.
 * `editing`: only what edits labels, nothing of sampling.
 */
export function Header({ session, editing = false }: { session: Session; editing?: boolean }) {
  const { store } = session;
  const dataset = store.dataset.value;
  const known = dataset ?? store.snapshot.value?.dataset;
  const notice = noticeOf(store);
  return (
    <div
      class="penstock-head"
      data-notice={notice?.kind}
      data-live={store.live.value === null ? undefined : "1"}
      data-testid="penstock-header"
    >
      <Mark />
      <DatasetName session={session} name={known?.name ?? "penstock"} />
      {notice?.kind === "dead" ? null : <Version store={store} />}
      {notice === null ? null : <HeaderNotice session={session} notice={notice} />}
      {dataset === null || notice?.kind === "dead" ? null : (
        <>
          <EditsPill session={session} />
          {dataset.read_only ? <ReadOnly store={store} /> : <Steps store={store} />}
        </>
      )}
      <span class="penstock-grow" />
      {editing ? null : <Sampling session={session} />}
    </div>
  );
}

function Version({ store }: { store: Store }) {
  const dataset = store.dataset.value;
  const known = dataset ?? store.snapshot.value?.dataset;
  if (known === undefined) return null;
  return (
    <>
      <span class="penstock-chip penstock-roomy" title="branch and version">
        {dataset?.branch} <b>{known.version}</b>
      </span>
      <span class="penstock-chip penstock-roomy">
        <b>{countText(known.num_samples)}</b> samples
      </span>
    </>
  );
}

/** Filled once there are weights: Balance is before (class table), Commit while the review is open. */
function Sampling({ session }: { session: Session }) {
  const { store } = session;
  const sampled = store.query.value?.has_sampling ?? false;
  const reviewing = store.region.value === "review";
  return (
    <>
      <TrainingChip session={session} />
      {store.link.value === "dead" ? null : <Seed store={store} />}
      <ExportMenu session={session} primary={sampled && !reviewing} />
    </>
  );
}

function ReadOnly({ store }: { store: Store }) {
  const page = store.page.value;
  const holder = store.dataset.value?.holder ?? null;
  if (page === null && holder !== null) {
    return (
      <button
        {...focusable}
        type="button"
        class="penstock-chip"
        title="another process has unsaved edits: what can be done"
        data-testid="penstock-held-chip"
        onClick={() => {
          store.heldSeen.value = null;
        }}
      >
        read-only
      </button>
    );
  }
  if (page === null) return <span class="penstock-chip">read-only</span>;
  return (
    <span class="penstock-chip" title={page.why} data-testid="penstock-page">
      copy without kernel
    </span>
  );
}

/** Opens and closes the review. */
function EditsPill({ session }: { session: Session }) {
  const { store } = session;
  const { uncommitted = false, num_edits: edits = 0 } = store.dataset.value ?? {};
  const open = store.region.value === "review";
  if (!uncommitted && !open) return null;
  return (
    <button
      {...focusable}
      type="button"
      class="penstock-chip penstock-warn-chip penstock-edits"
      aria-expanded={open}
      title="review and commit your edits"
      data-testid="penstock-edits"
      onClick={() => {
        if (open) closeReview(session);
        else store.region.value = "review";
      }}
    >
      {edits > 0 ? pluralText(edits, "unsaved edit") : uncommitted ? "uncommitted changes" : "no unsaved edits"}
    </button>
  );
}

/** Undo and redo of edits, named by what they do. */
function Steps({ store }: { store: Store }) {
  const { can_undo: undo = null, can_redo: redo = null } = store.dataset.value ?? {};
  const live = store.isLive.value;
  return (
    <span class="penstock-steps">
      <button
        {...focusable}
        type="button"
        class="penstock-icon"
        disabled={undo === null || !live}
        aria-label={undo === null ? "Undo" : `Undo: ${undo}`}
        title={undo === null ? "no edit to undo; Ctrl Z in the class table undoes weights" : `Undo: ${undo} (Ctrl Z)`}
        data-testid="penstock-undo"
        onClick={() => void store.actions.undo()}
      >
        <UndoIcon />
      </button>
      <button
        {...focusable}
        type="button"
        class="penstock-icon"
        disabled={redo === null || !live}
        aria-label={redo === null ? "Redo" : `Redo: ${redo}`}
        title={redo === null ? "no edit to redo" : `Redo: ${redo} (Ctrl Y)`}
        data-testid="penstock-redo"
        onClick={() => void store.actions.redo()}
      >
        <RedoIcon />
      </button>
    </span>
  );
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

function Mark() {
  return (
    <svg class="penstock-mark" viewBox="0 0 18 18" aria-hidden="true">
      <path d="M2 3h14M4 3v12M14 3v12" stroke="currentColor" stroke-width="1.8" fill="none" stroke-linecap="round" />
      <rect x="6.2" y="5" width="5.6" height="6" rx="1" fill="currentColor" />
      <path d="M6 14.5c1-.9 2-.9 3 0s2 .9 3 0" stroke="currentColor" stroke-width="1.4" fill="none" />
    </svg>
  );
}
