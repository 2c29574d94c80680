// What helps while one types a query: completion, closing brackets, underlined faults.
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
import { type Diagnostic as EditorDiagnostic, setDiagnostics } from "@codemirror/lint";
import { type EditorState, type Extension, Prec, type TransactionSpec } from "@codemirror/state";
import { type EditorView, keymap } from "@codemirror/view";
import type { Completion, Diagnostic } from "../session/protocol.ts";
import type { Store } from "../session/store.ts";

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

/** Diagnostics as a change of the editor. */
export function underlined(state: EditorState, found: readonly Diagnostic[]): TransactionSpec {
  return setDiagnostics(
    state,
    found.map((one) => asEditorDiagnostic(one, state.doc.length)),
  );
}

export function editorHelp(store: Store): Extension {
  const closePopup = {
    key: "Escape",
    run: (view: EditorView) => closeCompletion(view) || completionStatus(view.state) === null,
  };
  return [
    Prec.highest(keymap.of([{ key: "Tab", run: acceptCompletion }])),
    closeBrackets(),
    autocompletion({ override: [completionSource(store)], icons: false, activateOnTypingDelay: 80 }),
    keymap.of([...closeBracketsKeymap, ...completionKeymap, closePopup]),
  ];
}
