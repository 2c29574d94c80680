import { useState } from "preact/hooks";
import type { Model } from "../session/model.ts";
import { RpcFailure } from "../session/rpc.ts";
import type { Session } from "../session/session.ts";
import { chartsOf } from "../statistics/charts.ts";
import { focusable } from "../ui/focus.ts";
import { Popover } from "../ui/popover.tsx";
import { insertCellBelow } from "./insert-cell.ts";

type Framework = "pytorch" | "numpy";

export function ExportMenu({ session, primary }: { session: Session; primary: boolean }) {
  const { store } = session;
  const off = whyNoExport(session);
  return (
    <Popover
      class={`penstock-button${primary ? " penstock-primary" : ""}`}
      label="Export loader ▾"
      testid="penstock-export"
      disabled={off !== null || !store.isLive.value}
      title={off ?? "show or insert the code of this loader"}
    >
      {(close) => <ExportForm session={session} close={close} />}
    </Popover>
  );
}

function whyNoExport({ store }: Session): string | null {
  if (store.isTable.value) return "the result is a table; a loader needs samples";
  if (store.query.value?.pool_size === 0) return "the pool is empty";
  if (chartsOf(store).nothingDrawn.value) return "nothing can be drawn: every weight is 0";
  return null;
}

function ExportForm({ session, close }: { session: Session; close: () => void }) {
  const [framework, setFramework] = useState<Framework>("pytorch");
  const [batchSize, setBatchSize] = useState(64);
  const [fault, setFault] = useState<{ text: string; dirty: boolean } | null>(null);
  const produce = async (insert: boolean): Promise<void> => {
    try {
      await session.query.settle();
      const { result } = await session.store.rpc.call("export.code", { batch_size: batchSize, framework });
      close();
      await deliver(session, result.code, insert);
      if (result.note !== null) session.toast(result.note);
    } catch (failure) {
      const error = failure instanceof RpcFailure ? failure.error : { code: "Error", message: String(failure) };
      setFault({ text: error.message, dirty: error.code === "UncommittedChangesError" });
    }
  };
  const commitFirst = async (): Promise<void> => {
    const reply = await session.edits.apply("edit.commit", { message: "edits before export" });
    if (reply !== null) await produce(true);
  };
  return (
    <form
      class="penstock-export"
      onSubmit={(event) => {
        event.preventDefault();
        void produce(true);
      }}
    >
      <label class="penstock-row">
        <span class="penstock-grow">for</span>
        <select
          {...focusable}
          class="penstock-field"
          value={framework}
          onChange={(event) => setFramework(event.currentTarget.value as Framework)}
        >
          <option value="pytorch">PyTorch</option>
          <option value="numpy">NumPy</option>
        </select>
      </label>
      <label class="penstock-row">
        <span class="penstock-grow">batch size</span>
        <input
          {...focusable}
          class="penstock-field penstock-short"
          type="number"
          data-testid="penstock-batch-size"
          min={1}
          max={65536}
          value={batchSize}
          onInput={(event) => setBatchSize(Math.max(1, Math.round(Number(event.currentTarget.value)) || 1))}
        />
      </label>
      {fault === null ? null : (
        <p class="penstock-error" role="alert">
          {fault.text}{" "}
          {fault.dirty ? (
            <button {...focusable} type="button" class="penstock-link" onClick={() => void commitFirst()}>
              Commit and export
            </button>
          ) : null}
        </p>
      )}
      <div class="penstock-row penstock-form-end">
        <button {...focusable} type="button" class="penstock-button" onClick={() => void produce(false)}>
          Show code
        </button>
        <button {...focusable} type="submit" class="penstock-button penstock-primary" data-testid="penstock-insert">
          Insert cell below
        </button>
      </div>
    </form>
  );
}

async function deliver(session: Session, code: string, insert: boolean): Promise<void> {
  if (insert && (await insertCellBelow(session.model, code))) {
    session.exported.value = null;
    session.store.actions.announce("Inserted a cell with the loader below this one.");
    session.toast("Inserted a cell with the loader below");
    return;
  }
  session.exported.value = code;
  session.store.actions.announce("The loader code is shown below. Copy it into a cell.");
}

/** The code, to copy: where no cell can be inserted, or on demand. */
export function CodePanel({ session }: { session: Session }) {
  const code = session.exported.value;
  if (code === null) return null;
  const copy = async (event: { currentTarget: HTMLElement }): Promise<void> => {
    const text = event.currentTarget.closest("section")?.querySelector("textarea");
    try {
      await navigator.clipboard.writeText(code);
      session.store.actions.announce("Copied.");
      session.toast("Copied the loader code");
    } catch {
      text?.focus();
      text?.select();
      session.store.actions.announce("Press Ctrl+C to copy the selected code.");
    }
  };
  return (
    <section class="penstock-code" aria-label="Loader code" data-testid="penstock-code">
      <textarea
        {...focusable}
        class="penstock-mono"
        readOnly
        rows={Math.min(14, code.split("\n").length)}
        value={code}
        aria-label="Code that builds the loader"
      />
      <div class="penstock-row">
        <span class="penstock-note">Paste it into a cell: its batches equal those of x.loader().</span>
        <span class="penstock-grow" />
        <button {...focusable} type="button" class="penstock-button" onClick={(event) => void copy(event)}>
          Copy
        </button>
        <button {...focusable} type="button" class="penstock-button" onClick={() => (session.exported.value = null)}>
          Close
        </button>
      </div>
    </section>
  );
}

export type { Model };
