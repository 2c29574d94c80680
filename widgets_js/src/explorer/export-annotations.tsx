import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import type { Session } from "../session/session.ts";
import { focusable } from "../ui/focus.ts";
import { countText, pluralText } from "../ui/number-text.ts";
import { type AnnotationsExport, annotationsExport } from "./annotations-export.ts";

interface FormProps {
  session: Session;
  close: () => void;
  deliver: (code: string, insert: boolean) => Promise<void>;
}

/** Annotations as files of another format, in the kernel's file system. */
export function AnnotationsForm({ session, close, deliver }: FormProps) {
  const state = annotationsExport(session);
  useEffect(() => void state.look(), [state]);
  const format = state.format.value;
  const busy = state.running.value !== null;
  const ready = format !== null && format.why_not === null && session.store.isLive.value;
  const code = async (insert: boolean): Promise<void> => {
    const found = await state.code();
    if (found === null) return;
    close();
    await deliver(found, insert);
  };
  const send = (event: Event): void => {
    event.preventDefault();
    event.stopPropagation();
    if (ready && !busy) void state.run();
  };
  return (
    <form class="penstock-export" data-testid="penstock-annotations" onSubmit={send}>
      <Fields session={session} state={state} send={send} />
      <Edits session={session} />
      <Outcome state={state} />
      <div class="penstock-row penstock-form-end">
        <button
          {...focusable}
          type="button"
          class="penstock-link"
          disabled={!ready || busy}
          data-testid="penstock-annotations-code"
          onClick={() => void code(false)}
        >
          Show code
        </button>
        <button
          {...focusable}
          type="button"
          class="penstock-link"
          disabled={!ready || busy}
          data-testid="penstock-annotations-insert"
          onClick={() => void code(true)}
        >
          Insert cell below
        </button>
        <span class="penstock-grow" />
        {busy ? (
          <button
            {...focusable}
            type="button"
            class="penstock-button"
            data-testid="penstock-annotations-cancel"
            onClick={() => state.cancel()}
          >
            Cancel
          </button>
        ) : (
          <button
            {...focusable}
            type="submit"
            class="penstock-button penstock-primary"
            disabled={!ready}
            title={format?.why_not ?? undefined}
            data-testid="penstock-annotations-export"
          >
            Export
          </button>
        )}
      </div>
    </form>
  );
}

interface FieldsProps {
  session: Session;
  state: AnnotationsExport;
  send: (event: Event) => void;
}

const IMAGES = { "": "not written", copy: "copied", link: "linked" } as const;

function Fields({ session, state, send }: FieldsProps) {
  const { store } = session;
  const format = state.format.value;
  const off = state.running.value !== null;
  const query = store.query.value;
  const all = store.dataset.value?.opened === "dataset" ? "the whole dataset" : "the whole view";
  return (
    <>
      <Choice
        label="format"
        testid="penstock-format"
        off={off}
        value={state.name.value}
        choices={state.formats.value.map(({ name, title }) => [name, title])}
        choose={(name) => state.choose(name)}
      />
      {format?.options.map(({ name, choices }) => (
        <Choice
          key={name}
          label={name}
          testid={`penstock-option-${name}`}
          off={off}
          value={state.options.value[name] ?? choices[0] ?? ""}
          choices={choices.map((choice) => [choice ?? "", choice ?? "same as the dataset"])}
          choose={(value) => state.ask(() => (state.options.value = { ...state.options.value, [name]: value }))}
        />
      ))}
      <Choice
        label="samples"
        testid="penstock-annotations-rows"
        off={off}
        value={state.queryOnly.value ? "query" : "all"}
        choices={[
          ["query", `from the query (${countText(query?.pool_size ?? 0)})`],
          ["all", `${all} (${countText(query?.num_rows ?? 0)})`],
        ]}
        choose={(value) => state.ask(() => (state.queryOnly.value = value === "query"))}
      />
      <Choice
        label="images"
        testid="penstock-annotations-images"
        off={off || format === null || format.images.length === 0}
        value={state.images.value ?? ""}
        choices={[...(format?.needs_images ? [] : ["" as const]), ...(format?.images ?? [])].map((one) => [
          one,
          IMAGES[one],
        ])}
        choose={(value) =>
          state.ask(() => (state.chosenImages.value = value === "" ? null : (value as "copy" | "link")))
        }
      />
      <label class="penstock-to" title={`Relative to ${state.folder.value}`}>
        file or folder, on the kernel's machine
        <input
          {...focusable}
          class="penstock-field penstock-mono"
          value={state.path.value}
          disabled={off}
          spellcheck={false}
          data-testid="penstock-annotations-path"
          onInput={(event) => state.ask(() => (state.typed.value = event.currentTarget.value))}
          onKeyDown={(event) => {
            // a notebook may keep Enter from submitting the form
            if (event.key === "Enter") send(event);
          }}
        />
      </label>
    </>
  );
}

interface ChoiceProps {
  label: string;
  testid: string;
  off: boolean;
  value: string;
  choices: [string, string][];
  choose: (value: string) => void;
}

function Choice({ label, testid, off, value, choices, choose }: ChoiceProps) {
  return (
    <label class="penstock-row">
      <span class="penstock-grow">{label}</span>
      <select
        {...focusable}
        class="penstock-field"
        value={value}
        disabled={off}
        data-testid={testid}
        onChange={(event) => choose(event.currentTarget.value)}
      >
        {choices.map(([one, words]) => (
          <option key={one} value={one}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}

function Edits({ session }: { session: Session }) {
  const dataset = session.store.dataset.value;
  if (dataset === null || !dataset.uncommitted) return null;
  const what = dataset.num_edits > 0 ? pluralText(dataset.num_edits, "uncommitted edit") : "Uncommitted changes";
  return (
    <p class="penstock-note" data-testid="penstock-annotations-edits">
      {what} {dataset.num_edits === 1 ? "is" : "are"} exported too.
    </p>
  );
}

/** Progress, report and refusals: one place that is always there. */
function Outcome({ state }: { state: AnnotationsExport }) {
  return (
    <div class="penstock-outcome" role="status" data-testid="penstock-annotations-outcome">
      <Said state={state} />
    </div>
  );
}

function Said({ state }: { state: AnnotationsExport }): ComponentChildren {
  const running = state.running.value;
  if (running !== null) {
    const known = running.total !== null && running.total > 0;
    return (
      <>
        <progress {...(known ? { value: running.done, max: running.total as number } : {})} aria-label="export" />
        <p>{known ? `${countText(running.done)} of ${countText(running.total as number)} samples` : "exporting"}</p>
      </>
    );
  }
  const outcome = state.outcome.value;
  if (outcome === null) {
    const reason = state.format.value?.why_not ?? null;
    return <p>{reason === null ? "" : `Not possible: ${reason}.`}</p>;
  }
  return (
    <>
      <p class={outcome.kind === "failed" ? "penstock-bad" : undefined} data-kind={outcome.kind}>
        {outcome.text}{" "}
        {outcome.kind === "exists" ? (
          <button
            {...focusable}
            type="button"
            class="penstock-link"
            data-testid="penstock-overwrite"
            onClick={() => void state.run(true)}
          >
            Replace it
          </button>
        ) : null}
      </p>
      {outcome.issues.length === 0 ? null : (
        <ul>
          {outcome.issues.map((issue) => (
            <li key={issue}>{issue}</li>
          ))}
        </ul>
      )}
    </>
  );
}
