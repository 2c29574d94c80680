// Ctrl+Z acts on what has focus: text in the editor, a weight on sliders, the session's edits anywhere else.
import type { Session } from "../session/session.ts";

export function undoKind(target: Element | null): "text" | "weights" | "edits" {
  if (target === null) return "edits";
  if (target.closest(".cm-content, textarea") !== null || isTyped(target)) return "text";
  const owner = target.closest<HTMLElement>("[data-penstock-undo], .penstock-popover"); // the menu of a row is not the row
  if (owner?.dataset.penstockUndo === "weights") return "weights";
  return "edits";
}

const NOT_TYPED = ["range", "checkbox", "radio", "button"];

/** A field whose text has an undo of its own; the number of a weight has the weights'. */
function isTyped(target: Element): boolean {
  if (!(target instanceof HTMLInputElement) || NOT_TYPED.includes(target.type)) return false;
  const ofWeights = target.closest("[data-penstock-undo='weights']") !== null && target.type !== "search";
  return !ofWeights || target.closest(".penstock-popover") !== null;
}

function direction(event: KeyboardEvent): "undo" | "redo" | null {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return null;
  const key = event.key.toLowerCase();
  if (key === "z") return event.shiftKey ? "redo" : "undo";
  return key === "y" ? "redo" : null;
}

export function undoKeys(root: HTMLElement, session: Session): () => void {
  const listener = (event: KeyboardEvent): void => {
    const wanted = direction(event);
    if (wanted === null) return;
    const kind = undoKind(event.target as Element | null);
    if (kind === "text") return;
    event.preventDefault();
    event.stopPropagation();
    const { actions } = session.store;
    if (kind === "edits") void actions[wanted]();
    else void (wanted === "undo" ? actions.undoWeights() : actions.redoWeights());
  };
  root.addEventListener("keydown", listener);
  return () => root.removeEventListener("keydown", listener);
}
