// The query's text on CodeMirror 6. The editor owns caret, history and popups; the store owns the text.
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching } from "@codemirror/language";
import {
  Annotation,
  Compartment,
  EditorState,
  type Extension,
  Prec,
  StateEffect,
  Transaction,
} from "@codemirror/state";
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
import type { ClauseInfo } from "../session/protocol.ts";
import type { QuerySession } from "../session/query-session.ts";
import type { Store } from "../session/store.ts";
import { debounce } from "../ui/debounce.ts";
import { focusable } from "../ui/focus.ts";
import type { CalmErrors } from "./calm-errors.ts";
import { folding } from "./editor-fold.ts";
import { editorHelp, underlined } from "./editor-help.ts";
import { tokens } from "./tokens.ts";

const LINT_MS = 50;
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
  errors: CalmErrors;
  parent: HTMLElement;
}

/** Popups hang in the page's body: an output area would clip them. The portal carries our tokens there. */
function portal(store: Store, parent: HTMLElement): HTMLElement {
  const element = document.createElement("div");
  element.className = "penstock penstock-portal";
  element.dataset.theme = store.theme.peek();
  const root = parent.getRootNode();
  (root instanceof ShadowRoot ? root : document.body).append(element); // style sheets stay in a shadow root
  return element;
}

function run(store: Store): boolean {
  void store.actions.run();
  return true;
}

/** Read only where nothing would run it. */
function alive(live: boolean): Extension {
  return [
    EditorState.readOnly.of(!live),
    EditorView.editable.of(live),
    EditorView.contentAttributes.of(live ? { tabindex: "0" } : { tabindex: "0", "aria-readonly": "true" }),
  ];
}

function extensions(options: EditorOptions, popups: HTMLElement, life: Compartment) {
  const { store } = options;
  const runKeys = ["Shift-Enter", "Mod-Enter", "Ctrl-Enter"].map((key) => ({ key, run: () => run(store) }));
  return [
    Prec.highest(keymap.of(runKeys)),
    life.of(alive(store.isLive.peek())),
    history(),
    bracketMatching(),
    drawSelection(),
    EditorView.lineWrapping,
    editorHelp(store),
    keymap.of([...historyKeymap, ...defaultKeymap]),
    EditorView.contentAttributes.of({ ...focusable, "aria-label": "TQL query", "data-testid": "penstock-query-text" }),
    placeholder("select *"),
    tooltips({ parent: popups, position: "fixed" }),
    EditorState.tabSize.of(2),
    folding((one) => one.annotation(outside) === true),
    highlighter(store),
    follow(options),
  ];
}

/** What was typed goes to the store, with the way to carry literal positions along; then the kernel checks it. */
function follow({ store, query, errors }: EditorOptions): Extension {
  const check = debounce(async (text: string, since: number) => {
    const found = await query.lint(text);
    if (text !== store.text.peek()) return;
    performance.measure("penstock:lint", { start: since, end: performance.now() });
    errors.found(text, found);
  }, LINT_MS);
  const listener = EditorView.updateListener.of((update) => {
    if (!update.docChanged) return;
    const typed = !update.transactions.some((one) => one.annotation(outside));
    if (typed) take(update, store, query, errors);
    else if (store.textFault.peek() === null) errors.clear(); // a slider, or a query that ran
    if (typed || store.textFault.peek() !== null) void check(update.state.doc.toString(), performance.now());
  });
  return [listener, ViewPlugin.define(() => ({ destroy: () => check.cancel() }))];
}

function take(update: ViewUpdate, store: Store, query: QuerySession, errors: CalmErrors): void {
  const clauses = store.clauses.peek();
  let strayed = false;
  update.changes.iterChangedRanges((from, to) => {
    errors.typed(from, to);
    strayed ||= !clauses.some((c) => c.from !== null && c.to !== null && from >= c.from && to <= c.to);
  });
  query.edit(update.state.doc.toString(), (position, side) => update.changes.mapPos(position, side), strayed);
}

/** Returns the view and its cleanup. */
export function createEditor(options: EditorOptions): { view: EditorView; dispose: () => void } {
  const { store, errors, parent } = options;
  const popups = portal(store, parent);
  const life = new Compartment();
  const view = new EditorView({ doc: store.text.peek(), extensions: extensions(options, popups, life), parent });
  Object.assign(view.scrollDOM.dataset, { lmSuppressShortcuts: "true" });
  const stops = [
    effect(() => {
      const text = store.text.value;
      const now = view.state.doc.toString();
      if (text === now) return;
      view.dispatch({
        changes: minimalChange(now, text),
        annotations: [outside.of(true), Transaction.addToHistory.of(false)],
      });
    }),
    effect(() => {
      store.clauses.value;
      queueMicrotask(() => view.dispatch({ effects: redecorate.of(null) }));
    }),
    effect(() => {
      popups.dataset.theme = store.theme.value;
    }),
    effect(() => view.dispatch({ effects: life.reconfigure(alive(store.isLive.value)) })),
    effect(() => {
      const { diagnostics } = errors.shown.value;
      queueMicrotask(() => view.dispatch(underlined(view.state, diagnostics)));
    }),
  ];
  return {
    view,
    dispose: () => {
      for (const stop of stops) stop();
      view.destroy();
      popups.remove();
    },
  };
}
