// The query's text on CodeMirror 6. The editor owns caret, history and popups; the store owns the text.
import {
  acceptCompletion,
  autocompletion,
  type CompletionContext,
  type CompletionResult,
  closeBrackets,
  closeBracketsKeymap,
  closeCompletion,
  completionKeymap,
  completionStatus,
  type Completion as EditorCompletion,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching } from "@codemirror/language";
import { type Diagnostic as EditorDiagnostic, linter, setDiagnostics } from "@codemirror/lint";
import { Annotation, EditorState, Prec, StateEffect, Transaction } from "@codemirror/state";
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  keymap,
  placeholder,
  tooltips,
  ViewPlugin,
  type ViewUpdate,
} from "@codemirror/view";
import { effect } from "@preact/signals";
import type { ClauseInfo, Completion, Diagnostic } from "../session/protocol.ts";
import type { QuerySession } from "../session/query-session.ts";
import type { Store } from "../session/store.ts";
import { focusable } from "../ui/focus.ts";
import { tokens } from "./tokens.ts";

const LINT_MS = 150;
const outside = Annotation.define<boolean>();
const redecorate = StateEffect.define<null>();

/** The one replacement that turns `before` into `after`: as short as it can be, so that carets stay where they are. */
export function minimalChange(before: string, after: string): { from: number; to: number; insert: string } {
  let from = 0;
  while (from < before.length && before[from] === after[from]) from++;
  let end = 0;
  const room = Math.min(before.length, after.length) - from;
  while (end < room && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  return { from, to: before.length - end, insert: after.slice(from, after.length - end) };
}

function decorations(view: EditorView, clauses: readonly ClauseInfo[]): DecorationSet {
  const text = view.state.doc.toString();
  const bound = new Set(clauses.map((clause) => clause.from));
  const marks = tokens(text)
    .filter((token) => view.visibleRanges.some((range) => token.from < range.to && token.to > range.from))
    .map((token) => {
      const slider = token.kind === "number" && bound.has(token.from) ? " penstock-bound" : "";
      return Decoration.mark({ class: `penstock-token-${token.kind}${slider}` }).range(token.from, token.to);
    });
  return Decoration.set(marks);
}

function highlighter(store: Store) {
  return ViewPlugin.fromClass(
    class {
      decorations: DecorationSet;
      constructor(view: EditorView) {
        this.decorations = decorations(view, store.clauses.peek());
      }
      update(update: ViewUpdate) {
        const asked = update.transactions.some((one) => one.effects.some((e) => e.is(redecorate)));
        if (update.docChanged || update.viewportChanged || asked) {
          this.decorations = decorations(update.view, store.clauses.peek());
        }
      }
    },
    { decorations: (plugin) => plugin.decorations },
  );
}

const COMPLETION_TYPES: Record<Completion["kind"], string> = {
  keyword: "keyword",
  tensor: "variable",
  function: "function",
  class: "text",
  value: "constant",
};

function completionSource(store: Store) {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    if (!store.isLive.peek()) return null;
    const typed = context.matchBefore(/[\w'"$.][^\s,()]*/);
    if (typed === null && !context.explicit) return null;
    const args = { text: context.state.doc.toString(), position: context.pos };
    try {
      const { result } = await store.rpc.call("query.complete", args, { lane: "complete" });
      return asResult(result.completions);
    } catch {
      return null;
    }
  };
}

/** A completion brings its own closing quote or bracket: the one typed ahead is written over. */
function accept(view: EditorView, { from, insert }: Completion, to: number): void {
  const next = view.state.sliceDoc(to, to + 1);
  const end = next !== "" && `'"(`.includes(next) && insert.endsWith(next) ? to + 1 : to;
  view.dispatch({
    changes: { from, to: end, insert },
    selection: { anchor: from + insert.length },
    userEvent: "input.complete",
  });
}

function asResult(completions: readonly Completion[]): CompletionResult | null {
  const first = completions[0];
  if (first === undefined) return null;
  const options: EditorCompletion[] = completions.map((one, i) => ({
    label: one.label,
    detail: one.detail,
    type: COMPLETION_TYPES[one.kind],
    boost: -i / 10,
    apply: (view: EditorView, _c: EditorCompletion, _from: number, to: number) =>
      accept(view, one, Math.max(to, one.to)),
  }));
  return { from: first.from, to: first.to, options, filter: false };
}

/** A diagnostic of the kernel as the editor underlines it: at least one character wide, its fix a button. */
export function asEditorDiagnostic(diagnostic: Diagnostic, length: number): EditorDiagnostic {
  const from = Math.min(diagnostic.from, Math.max(0, length - 1));
  const to = Math.min(Math.max(diagnostic.to, from + 1), length);
  const { fix } = diagnostic;
  const apply = (view: EditorView, start: number, end: number): void => {
    if (fix !== null) view.dispatch({ changes: { from: start, to: end, insert: fix } });
  };
  const actions = fix === null ? [] : [{ name: `Replace by ${fix}`, apply }];
  return { from, to, severity: diagnostic.severity, message: diagnostic.message, actions };
}

export interface EditorOptions {
  store: Store;
  query: QuerySession;
  parent: HTMLElement;
  onDiagnostics: (diagnostics: Diagnostic[]) => void;
}

/** Popups hang in the page's body: an output area would clip them. The portal carries our tokens there. */
function portal(store: Store): HTMLElement {
  const element = document.createElement("div");
  element.className = "penstock penstock-portal";
  element.dataset.theme = store.theme.peek();
  document.body.append(element);
  return element;
}

function run(store: Store): boolean {
  void store.actions.run();
  return true;
}

function extensions({ store, query, onDiagnostics }: EditorOptions, popups: HTMLElement) {
  const runKeys = ["Shift-Enter", "Mod-Enter", "Ctrl-Enter"].map((key) => ({ key, run: () => run(store) }));
  const closePopup = {
    key: "Escape",
    run: (view: EditorView) => closeCompletion(view) || completionStatus(view.state) === null,
  };
  return [
    Prec.highest(keymap.of([...runKeys, { key: "Tab", run: acceptCompletion }])),
    history(),
    closeBrackets(),
    bracketMatching(),
    drawSelection(),
    EditorView.lineWrapping,
    autocompletion({ override: [completionSource(store)], icons: false, activateOnTypingDelay: 80 }),
    linter(
      async (view) => {
        const text = view.state.doc.toString();
        const found = await query.lint(text);
        onDiagnostics(found);
        return found.map((one) => asEditorDiagnostic(one, text.length));
      },
      { delay: LINT_MS },
    ),
    keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, closePopup, ...defaultKeymap]),
    EditorView.contentAttributes.of({ ...focusable, "aria-label": "TQL query", "data-testid": "penstock-query-text" }),
    placeholder("select *"),
    tooltips({ parent: popups, position: "fixed" }),
    EditorState.tabSize.of(2),
    highlighter(store),
    EditorView.updateListener.of((update) => follow(update, store, query)),
  ];
}

/** What was typed goes to the store, with the way to carry literal positions along. */
function follow(update: ViewUpdate, store: Store, query: QuerySession): void {
  if (!update.docChanged || update.transactions.some((one) => one.annotation(outside))) return;
  const clauses = store.clauses.peek();
  let strayed = false;
  update.changes.iterChangedRanges((from, to) => {
    strayed ||= !clauses.some((c) => c.from !== null && c.to !== null && from >= c.from && to <= c.to);
  });
  query.edit(update.state.doc.toString(), (position, side) => update.changes.mapPos(position, side), strayed);
}

/** Returns the view and its cleanup. */
export function createEditor(options: EditorOptions): { view: EditorView; dispose: () => void } {
  const { store, query, parent, onDiagnostics } = options;
  const popups = portal(store);
  const view = new EditorView({ doc: store.text.peek(), extensions: extensions(options, popups), parent });
  Object.assign(view.scrollDOM.dataset, { lmSuppressShortcuts: "true" });
  const stopText = effect(() => {
    const text = store.text.value;
    const now = view.state.doc.toString();
    if (text === now) return;
    view.dispatch({
      changes: minimalChange(now, text),
      annotations: [outside.of(true), Transaction.addToHistory.of(false)],
    });
  });
  const stopClauses = effect(() => {
    store.clauses.value;
    queueMicrotask(() => view.dispatch({ effects: redecorate.of(null) }));
  });
  const stopTheme = effect(() => {
    popups.dataset.theme = store.theme.value;
  });
  query.onDiagnostics = (found) => {
    onDiagnostics(found);
    const length = view.state.doc.length;
    view.dispatch(
      setDiagnostics(
        view.state,
        found.map((one) => asEditorDiagnostic(one, length)),
      ),
    );
  };
  return {
    view,
    dispose: () => {
      for (const stop of [stopText, stopClauses, stopTheme]) stop();
      query.onDiagnostics = () => {};
      view.destroy();
      popups.remove();
    },
  };
}
