import { useEffect, useRef, useState } from "preact/hooks";
import { whyNot } from "../session/answers.ts";
import type { Diagnostic } from "../session/protocol.ts";
import { openView, saveView } from "../session/saved-views.ts";
import type { Session } from "../session/session.ts";
import type { Store } from "../session/store.ts";
import { chartsOf } from "../statistics/charts.ts";
import { focusable } from "../ui/focus.ts";
import { countText, pluralText } from "../ui/number-text.ts";
import { Popover } from "../ui/popover.tsx";
import { useCut, Whole } from "../ui/readable.tsx";
import { CalmErrors, oneSentence } from "./calm-errors.ts";
import { QueryText } from "./query-text.tsx";

const RELOAD_MS = 2000;

export function QueryPanel({ session }: { session: Session }) {
  const { store, query } = session;
  const [errors] = useState(() => new CalmErrors());
  useEffect(() => {
    query.onDiagnostics = (found) => errors.found(store.text.peek(), found, true);
    return () => {
      query.onDiagnostics = () => {};
      errors.dispose();
    };
  }, [store, query, errors]);
  return (
    <section class="penstock-query" aria-label="Query" data-testid="penstock-query">
      <div class="penstock-query-label" aria-hidden="true">
        TQL
      </div>
      <Text session={session} errors={errors} />
      <div class="penstock-query-run">
        <button
          {...focusable}
          type="button"
          class="penstock-button"
          aria-keyshortcuts="Shift+Enter"
          data-testid="penstock-run"
          disabled={!store.isLive.value}
          onClick={() => void store.actions.run()}
        >
          Run <kbd>⇧⏎</kbd>
        </button>
      </div>
      <div class="penstock-query-foot">
        <Status session={session} errors={errors} />
        <span class="penstock-grow" />
        <Explain store={store} />
        <History store={store} />
        <SavedViews session={session} />
      </div>
    </section>
  );
}

/** The editor, once it is loaded; until then, and where no kernel has answered, its text. */
function Text({ session, errors }: { session: Session; errors: CalmErrors }) {
  const { store, query } = session;
  const host = useRef<HTMLDivElement>(null);
  const plain = useRef<HTMLDivElement>(null);
  const [loaded, setLoaded] = useState(false);
  const live = store.isLive.value;
  const editor = useRef<{ dispose: () => void } | null>(null);
  useEffect(() => {
    if (!live || editor.current !== null) return undefined;
    let gone = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const load = (): void => {
      import("./editor.ts").then(
        ({ createEditor }) => {
          if (gone || host.current === null) return;
          const focused = plain.current?.contains(document.activeElement) ?? false;
          const made = createEditor({ store, query, errors, parent: host.current });
          editor.current = made;
          setLoaded(true);
          if (focused) made.view.focus();
        },
        () => {
          if (!gone) timer = setTimeout(load, RELOAD_MS); // the text is there, and Run runs it
        },
      );
    };
    load();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [live, store, query, errors]);
  useEffect(
    () => () => {
      editor.current?.dispose();
      editor.current = null;
    },
    [],
  );
  return (
    <div class="penstock-query-text">
      {loaded ? null : (
        <div ref={plain}>
          <QueryText store={store} />
        </div>
      )}
      <div ref={host} />
    </div>
  );
}

/** One line of a fixed height: what is wrong, what is running, or what the query gave. */
function Status({ session, errors }: { session: Session; errors: CalmErrors }) {
  const { store } = session;
  const { text, diagnostics } = errors.shown.value;
  const error = diagnostics.find((one) => one.severity === "error");
  if (store.link.value === "dead" && store.query.value !== null) {
    return (
      <span class="penstock-status penstock-changed" data-testid="penstock-funnel">
        Sliders, bars and coverage still work
        <span class="penstock-status-rest">; query, grid, labels and export wait for the kernel.</span>
      </span>
    );
  }
  if (error !== undefined) return <ErrorLine session={session} error={error} text={text} />;
  if (store.busy.value !== null) {
    return (
      <span class="penstock-status penstock-busy" data-testid="penstock-funnel">
        {store.busy.value}…{" "}
        <button {...focusable} type="button" class="penstock-link" onClick={() => session.query.cancelRun()}>
          Cancel
        </button>
      </span>
    );
  }
  const refusal = session.grid.pages.refusal();
  if (refusal !== null) return <Refused session={session} reason={refusal} />;
  return <Funnel store={store} />;
}

/** One line for all tiles that were denied, in the place of the outcome. */
function Refused({ session, reason }: { session: Session; reason: string }) {
  const denied = /(no credentials were found|access was denied)[^.:]*$/.exec(reason)?.[0] ?? "access was denied";
  return (
    <span class="penstock-status penstock-error" role="alert" data-testid="penstock-refused" title={reason}>
      <span class="penstock-clip">Some images cannot be read: {denied}</span>
      <button {...focusable} type="button" class="penstock-fix" onClick={() => session.grid.pages.retry()}>
        Retry
      </button>
    </span>
  );
}

const MEANT = " did you mean ".length + 40; // a suggestion is on the button

function ErrorLine({ session, error, text }: { session: Session; error: Diagnostic; text: string }) {
  const { fix } = error;
  const said = oneSentence(error.message).replace(/[;,]? did you mean$/, "");
  const [line, cut] = useCut<HTMLSpanElement>(said);
  const apply = (): void => {
    if (fix === null || session.store.text.value !== text) return;
    session.query.replaceText(text.slice(0, error.from) + fix + text.slice(error.to));
  };
  return (
    <span class="penstock-status penstock-error" data-testid="penstock-query-error" title={error.message}>
      <span class="penstock-clip" ref={line}>
        {said}
        {fix === null ? "" : "; did you mean"}
      </span>
      {fix === null ? null : (
        <button {...focusable} type="button" class="penstock-fix" onClick={apply}>
          {fix}
        </button>
      )}
      {cut || error.message.length > said.length + MEANT ? (
        <Whole testid="penstock-query-error-more">{error.message}</Whole>
      ) : null}
    </span>
  );
}

const EDITED = "The text has changed; run it to see its samples.";

/** What is to be said about a result. */
function Warnings({ warnings }: { warnings: readonly string[] }) {
  const [line, cut] = useCut<HTMLSpanElement>(warnings[0]);
  return (
    <>
      <span class="penstock-changed penstock-clip" ref={line} title={warnings.join("\n")}>
        {warnings[0]}
      </span>
      {cut || warnings.length > 1 ? <Whole testid="penstock-warnings-more">{warnings.join("\n")}</Whole> : null}
    </>
  );
}

function Funnel({ store }: { store: Store }) {
  const query = store.query.value;
  if (query === null) {
    return (
      <span class="penstock-status" data-testid="penstock-funnel">
        {snapshotLine(store)}
      </span>
    );
  }
  const changed = store.textFault.value !== null;
  const matches = query.kind === "rows" && (query.pool_size !== query.num_rows || query.funnel.length > 2);
  const warning = query.warnings[0];
  return (
    <span class="penstock-status" data-testid="penstock-funnel">
      <span
        class={changed ? "penstock-changed" : "penstock-ok"}
        title={changed ? EDITED : "grid, class table and coverage show this query"}
      >
        {changed ? "●" : "✓"}
      </span>
      <span class="penstock-clip">
        <b>{countText(query.num_rows)}</b> {query.num_rows === 1 ? "row" : "rows"}
        {matches ? (
          <>
            {" → "}
            <b>{countText(query.pool_size)}</b> match
          </>
        ) : null}
        {query.has_sampling ? (
          <>
            {" → "}
            <b>{countText(chartsOf(store).plan.value?.draws ?? query.draws)}</b> draws per epoch
          </>
        ) : null}
      </span>
      <span class="penstock-ms">{query.ms < 10 ? query.ms.toFixed(1) : Math.round(query.ms)} ms</span>
      {changed ? <span class="penstock-changed penstock-clip">{EDITED}</span> : null}
      {changed || warning === undefined ? null : <Warnings warnings={query.warnings} />}
    </span>
  );
}

function snapshotLine(store: Store): string {
  const snapshot = store.snapshot.value;
  if (snapshot === null) return "";
  return `${pluralText(snapshot.dataset.num_samples, "row")} → ${countText(snapshot.pool_size)} match → ${countText(snapshot.draws)} draws per epoch`;
}

function Explain({ store }: { store: Store }) {
  const funnel = store.query.value?.funnel ?? [];
  if (funnel.length < 2) return null;
  const most = Math.max(1, ...funnel.map((step) => step.rows));
  return (
    <Popover class="penstock-opener" label="explain ▾" testid="penstock-explain">
      {() => (
        <table class="penstock-explain">
          <caption>Rows left after each step</caption>
          <tbody>
            {funnel.map((step, i) => (
              <tr key={i}>
                <th scope="row">{step.label}</th>
                <td class="penstock-number">{countText(step.rows)}</td>
                <td class="penstock-explain-bar">
                  <i style={{ width: `${(100 * step.rows) / most}%` }} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Popover>
  );
}

function History({ store }: { store: Store }) {
  const texts = store.history.value;
  return (
    <Popover
      class="penstock-opener"
      label="history ▾"
      testid="penstock-history"
      disabled={texts.length === 0 || !store.isLive.value}
    >
      {(close) => (
        <Choices
          label="Earlier queries"
          items={texts.map((text) => ({ key: text, text, note: "" }))}
          onChoose={(text) => {
            close();
            void store.actions.run({ text });
          }}
        />
      )}
    </Popover>
  );
}

interface ChoicesProps {
  label: string;
  items: { key: string; text: string; note: string }[];
  onChoose: (key: string) => void;
}

function Choices({ label, items, onChoose }: ChoicesProps) {
  return (
    <ul class="penstock-choices" aria-label={label}>
      {items.map((item) => (
        <li key={item.key}>
          <button {...focusable} type="button" onClick={() => onChoose(item.key)}>
            <span class="penstock-mono">{item.text}</span>
            {item.note === "" ? null : <span class="penstock-number">{item.note}</span>}
          </button>
        </li>
      ))}
    </ul>
  );
}

function SavedViews({ session }: { session: Session }) {
  const { store } = session;
  const views = store.views.value;
  const open = (id: string, close: () => void): void => {
    close();
    void openView(session.query, id);
  };
  return (
    <Popover
      class="penstock-opener"
      label="saved views ▾"
      testid="penstock-views"
      disabled={whyNot(store, "views.open") !== null}
      title={store.page.value?.why ?? "queries saved under a name"}
    >
      {(close) => (
        <div>
          {views.length === 0 ? <p class="penstock-note">There are no saved views yet.</p> : null}
          <Choices
            label="Saved views"
            items={views.map((view) => ({
              key: view.id,
              text: view.message || view.query,
              note: pluralText(view.num_samples, "sample"),
            }))}
            onChoose={(id) => open(id, close)}
          />
          <SaveView session={session} close={close} />
        </div>
      )}
    </Popover>
  );
}

function SaveView({ session, close }: { session: Session; close: () => void }) {
  const [message, setMessage] = useState("");
  const save = (event: Event): void => {
    event.preventDefault();
    close();
    void saveView(session.query, message);
  };
  return (
    <form class="penstock-row penstock-save-view" onSubmit={save}>
      <input
        {...focusable}
        class="penstock-field penstock-grow"
        aria-label="Name of the view"
        placeholder="save this view as…"
        value={message}
        onInput={(event) => setMessage(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && message.trim() !== "") save(event);
        }}
      />
      <button {...focusable} type="submit" class="penstock-button" disabled={message.trim() === ""}>
        Save
      </button>
    </form>
  );
}
