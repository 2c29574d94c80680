// The query's text on CodeMirror 6. The editor owns caret, history and popups; the store owns the text.
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching } from "@codemirror/language";
import { Annotation, Compartment, EditorState, Prec, StateEffect, Transaction } from "@codemirror/state";
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
import type { ClauseInfo, Diagnostic } from "../session/protocol.ts";
import type { QuerySession } from "../session/query-session.ts";
import type { Store } from "../session/store.ts";
import { focusable } from "../ui/focus.ts";
import { tokens } from "./tokens.ts";

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

function extensions({ store, query }: EditorOptions, popups: HTMLElement, help: Compartment) {
  const runKeys = ["Shift-Enter", "Mod-Enter", "Ctrl-Enter"].map((key) => ({ key, run: () => run(store) }));
  return [
    Prec.highest(keymap.of(runKeys)),
    help.of([]),
    history(),
    bracketMatching(),
    drawSelection(),
    EditorView.lineWrapping,
    keymap.of([...historyKeymap, ...defaultKeymap]),
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
  const help = new Compartment();
  const view = new EditorView({ doc: store.text.peek(), extensions: extensions(options, popups, help), parent });
  let underline = (_found: Diagnostic[]): void => {};
  let gone = false;
  const loadHelp = async (): Promise<void> => {
    const { editorHelp, underlined } = await import("./editor-help.ts");
    if (gone) return;
    underline = (found) => view.dispatch(underlined(view.state, found));
    view.dispatch({ effects: help.reconfigure(editorHelp(store, query, onDiagnostics)) });
  };
  const helpWhenLive = effect(() => {
    if (store.isLive.value) loadHelp().catch(() => {}); // without it the query runs all the same
  });
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
    underline(found);
  };
  return {
    view,
    dispose: () => {
      gone = true;
      for (const stop of [helpWhenLive, stopText, stopClauses, stopTheme]) stop();
      query.onDiagnostics = () => {};
      view.destroy();
      popups.remove();
    },
  };
}
