import { useEffect, useRef, useState } from "preact/hooks";
import { whyNot } from "../session/answers.ts";
import type { Diagnostic } from "../session/protocol.ts";
import type { Session } from "../session/session.ts";
import type { Store } from "../session/store.ts";
import { chartsOf } from "../statistics/charts.ts";
import { focusable } from "../ui/focus.ts";
import { countText } from "../ui/number-text.ts";
import { Popover } from "../ui/popover.tsx";
import { createEditor } from "./editor.ts";

export function QueryPanel({ session }: { session: Session }) {
  const { store } = session;
  const host = useRef<HTMLDivElement>(null);
  const [diagnostics, setFound] = useState<Diagnostic[]>([]);
  useEffect(() => {
    if (host.current === null) return undefined;
    const editor = createEditor({ store, query: session.query, parent: host.current, onDiagnostics: setFound });
    return editor.dispose;
  }, [store, session]);
  const dead = !store.isLive.value;
  return (
    <section class="penstock-query" aria-label="Query" data-testid="penstock-query">
      <div class="penstock-query-label" aria-hidden="true">
        TQL
      </div>
      <div class="penstock-query-text" ref={host} />
      <div class="penstock-query-run">
        <button
          {...focusable}
          type="button"
          class="penstock-button"
          aria-keyshortcuts="Shift+Enter"
          data-testid="penstock-run"
          disabled={dead}
          onClick={() => void store.actions.run()}
        >
          Run <kbd>⇧⏎</kbd>
        </button>
      </div>
      <div class="penstock-query-foot">
        <Outcome session={session} diagnostics={diagnostics} />
        <span class="penstock-grow" />
        <Explain store={store} />
        <History store={store} />
        <SavedViews session={session} />
      </div>
    </section>
  );
}

function Outcome({ session, diagnostics }: { session: Session; diagnostics: Diagnostic[] }) {
  const { store } = session;
  const error = diagnostics.find((one) => one.severity === "error");
  if (error !== undefined) return <ErrorLine session={session} error={error} />;
  if (store.busy.value !== null) {
    return (
      <span class="penstock-busy" data-testid="penstock-funnel">
        {store.busy.value}…{" "}
        <button {...focusable} type="button" class="penstock-link" onClick={() => session.query.cancelRun()}>
          Cancel
        </button>
      </span>
    );
  }
  return <Funnel store={store} />;
}

function ErrorLine({ session, error }: { session: Session; error: Diagnostic }) {
  const before = session.store.text.value.slice(0, error.from);
  const line = before.split("\n").length;
  const column = before.length - before.lastIndexOf("\n");
  const apply = (): void => {
    const text = session.store.text.value;
    session.query.replaceText(text.slice(0, error.from) + error.fix + text.slice(error.to));
  };
  return (
    <span class="penstock-error" data-testid="penstock-query-error">
      line {line}, column {column}: {error.message}
      {error.fix === null ? null : (
        <button {...focusable} type="button" class="penstock-fix" onClick={apply}>
          {error.fix}
        </button>
      )}
    </span>
  );
}

function Funnel({ store }: { store: Store }) {
  const query = store.query.value;
  if (query === null) return <span data-testid="penstock-funnel">{snapshotLine(store)}</span>;
  const changed = store.textFault.value !== null;
  const matches = query.pool_size !== query.num_rows || query.funnel.length > 2;
  return (
    <span class="penstock-funnel" data-testid="penstock-funnel">
      <span
        class={changed ? "penstock-changed" : "penstock-ok"}
        title={store.textFault.value ?? "the panels show this query"}
      >
        {changed ? "●" : "✓"}
      </span>
      <span>
        <b>{countText(query.num_rows)}</b> rows
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
      {changed ? <span class="penstock-changed">{store.textFault.value}</span> : null}
      {query.warnings.map((warning) => (
        <span class="penstock-changed" key={warning}>
          {warning}
        </span>
      ))}
    </span>
  );
}

function snapshotLine(store: Store): string {
  const snapshot = store.snapshot.value;
  if (snapshot === null) return "";
  return `${countText(snapshot.dataset.num_samples)} rows → ${countText(snapshot.pool_size)} match → ${countText(snapshot.draws)} draws per epoch`;
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
    <Popover class="penstock-opener" label="history ▾" testid="penstock-history" disabled={texts.length === 0}>
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
    void session.query.openView(id);
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
              note: `${countText(view.num_samples)} samples`,
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
    void session.query.saveView(message);
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
