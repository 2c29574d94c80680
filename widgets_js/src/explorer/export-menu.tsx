import { useState } from "preact/hooks";
import { whyNot } from "../session/answers.ts";
import type { Model } from "../session/model.ts";
import { RpcFailure } from "../session/rpc.ts";
import type { Session } from "../session/session.ts";
import { chartsOf } from "../statistics/charts.ts";
import { focusable } from "../ui/focus.ts";
import { lazy } from "../ui/lazy.tsx";
import { pluralText } from "../ui/number-text.ts";
import { Popover } from "../ui/popover.tsx";
import { Switch } from "../ui/switch.tsx";
import { annotationsExport } from "./annotations-export.ts";
import { goToCellBelow, insertCellBelow } from "./insert-cell.ts";

const AnnotationsForm = lazy(() => import("./export-annotations.tsx").then((part) => part.AnnotationsForm));

type Framework = "pytorch" | "numpy";

type What = "loader" | "annotations";

export function ExportMenu({ session, primary }: { session: Session; primary: boolean }) {
  const { store } = session;
  const why = whyNot(store, "export.code");
  const running = annotationsExport(session).running.value;
  return (
    <Popover
      class={`penstock-button${primary ? " penstock-primary" : ""}`}
      label={running === null ? "Export ▾" : `Exporting${percent(running)} ▾`}
      testid="penstock-export"
      disabled={why !== null}
      title={why ?? "the loader as code, or annotations as files"}
    >
      {(close) => <Exports session={session} close={close} />}
    </Popover>
  );
}

function percent({ done, total }: { done: number; total: number | null }): string {
  return total === null || total === 0 ? "" : ` ${Math.floor((100 * done) / total)}%`;
}

function Exports({ session, close }: { session: Session; close: () => void }) {
  const waiting = annotationsExport(session);
  const [what, setWhat] = useState<What>(
    waiting.running.peek() !== null || waiting.outcome.peek() !== null ? "annotations" : "loader",
  );
  return (
    <div class="penstock-exports">
      <Switch
        label="what is exported"
        testid="penstock-export-what"
        options={[
          { value: "loader", label: "Loader", title: "code that builds the loader these charts show" },
          { value: "annotations", label: "Annotations", title: "labels and boxes as files of another format" },
        ]}
        value={what}
        onChange={setWhat}
      />
      {what === "loader" ? (
        <ExportForm session={session} close={close} />
      ) : (
        <AnnotationsForm
          session={session}
          close={close}
          deliver={(code, insert) => deliver(session, code, insert, "annotations")}
        />
      )}
    </div>
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
  const [resize, setResize] = useState<number | null>(null);
  const entries = session.store.live.value?.num_entries ?? 1;
  const [recorded, setRecorded] = useState(true);
  const schedule = recorded && entries > 1;
  const [fault, setFault] = useState<{ text: string; dirty: boolean } | null>(null);
  const off = whyNoExport(session);
  const produce = async (insert: boolean): Promise<void> => {
    try {
      await session.query.settle();
      const { result } = await session.store.rpc.call("export.code", {
        batch_size: batchSize,
        framework,
        resize,
        schedule,
      });
      close();
      await deliver(session, result.code, insert, "loader");
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
        if (off === null) void produce(true);
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
      {session.store.dataset.value?.image_tensor == null ? null : (
        <label class="penstock-row" title="height and width of every image, in pixels; boxes are scaled with them">
          <span class="penstock-grow">resize images to</span>
          <input
            {...focusable}
            class="penstock-field penstock-short"
            type="number"
            data-testid="penstock-resize"
            placeholder="as stored"
            min={1}
            max={8192}
            onInput={(event) => setResize(sideOf(event.currentTarget.value))}
          />
        </label>
      )}
      {entries < 2 ? null : (
        <label
          class="penstock-check"
          title="the weights by the position from which each held: the code draws what the run drew"
        >
          <input
            {...focusable}
            type="checkbox"
            data-testid="penstock-export-schedule"
            checked={recorded}
            onChange={(event) => setRecorded(event.currentTarget.checked)}
          />
          the run's schedule, {pluralText(entries - 1, "change")}
        </label>
      )}
      {off === null ? null : <p class="penstock-note">No loader: {off}.</p>}
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
        <button
          {...focusable}
          type="button"
          class="penstock-button"
          disabled={off !== null}
          onClick={() => void produce(false)}
        >
          Show code
        </button>
        <button
          {...focusable}
          type="submit"
          class="penstock-button penstock-primary"
          disabled={off !== null}
          data-testid="penstock-insert"
        >
          Insert cell below
        </button>
      </div>
    </form>
  );
}

/** Side of a square in pixels; null where the field is empty. */
function sideOf(text: string): number | null {
  const side = Math.round(Number(text));
  return text === "" || !(side >= 1) ? null : Math.min(side, 8192);
}

const SAID = {
  loader: {
    inserted: "a cell with the loader below",
    label: "Loader code",
    note: "Paste it into a cell: its batches equal those of x.loader().",
  },
  annotations: {
    inserted: "a cell with the export below",
    label: "Export code",
    note: "Paste it into a cell: it writes the same files.",
  },
} as const;

async function deliver(session: Session, code: string, insert: boolean, of: What): Promise<void> {
  const { announce } = session.store.actions;
  if (insert && (await insertCellBelow(session.model, code))) {
    session.exported.value = null;
    announce(`Inserted ${SAID[of].inserted} this one.`);
    session.toast(`Inserted ${SAID[of].inserted}`, { label: "Go to cell", run: (button) => goToCell(session, button) });
    return;
  }
  session.exported.value = { code, of };
  announce(`The ${of === "loader" ? "loader code" : "code"} is shown below. Copy it into a cell.`);
}

function goToCell({ store }: Session, button: Element): void {
  if (!goToCellBelow(button)) store.actions.announce("The new cell is the one below this one.");
}

/** The code, to copy: where no cell can be inserted, or on demand. */
export function CodePanel({ session }: { session: Session }) {
  const exported = session.exported.value;
  if (exported === null) return null;
  const { code } = exported;
  const said = SAID[exported.of];
  const copy = async (event: { currentTarget: HTMLElement }): Promise<void> => {
    const text = event.currentTarget.closest("section")?.querySelector("textarea");
    try {
      await navigator.clipboard.writeText(code);
      session.store.actions.announce("Copied.");
      session.toast("Copied the code");
    } catch {
      text?.focus();
      text?.select();
      session.store.actions.announce("Press Ctrl+C to copy the selected code.");
    }
  };
  return (
    <section class="penstock-code" aria-label={said.label} data-testid="penstock-code">
      <textarea
        {...focusable}
        class="penstock-mono"
        readOnly
        rows={Math.min(14, code.split("\n").length)}
        value={code}
        aria-label={said.label}
      />
      <div class="penstock-row">
        <span class="penstock-note">{said.note}</span>
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
