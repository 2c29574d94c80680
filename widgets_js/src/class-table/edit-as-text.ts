import { EditorView } from "@codemirror/view";
import type { Store } from "../session/store.ts";

/** Selects a clause's weight in the query text of the widget that `within` is in. */
export function editAsText(within: Element, store: Store, clause: number): void {
  const content = within.closest(".penstock")?.querySelector<HTMLElement>(".cm-content");
  const editor = content == null ? null : EditorView.findFromDOM(content);
  const { from, to } = store.clauses.value[clause] ?? {};
  if (editor === null) return;
  const anchor = from ?? 0;
  if (anchor <= editor.state.doc.length) {
    const head = Math.min(to ?? anchor, editor.state.doc.length);
    editor.dispatch({ selection: { anchor, head }, scrollIntoView: true });
  }
  editor.focus();
}
