// Keys in a notebook. JupyterLab and Notebook 7 match their shortcuts on the focused element, so each focusable element
// carries the attribute itself: on an ancestor it does nothing, and `d d` on a slider would delete the user's cell.

/** Spread over every focusable element: `<button {...focusable} />`. */
export const focusable = { "data-lm-suppress-shortcuts": "true" } as const;

/** What can take focus; a browser test holds that each one inside a widget carries the attribute. */
export const FOCUSABLE_SELECTOR =
  "button, input, select, textarea, a[href], summary, [tabindex], [contenteditable='true']";

/** What has the focus where an element is: in a shadow root the document only knows the root's host. */
export function focused(element: Element): Element | null {
  return (element.getRootNode() as Document | ShadowRoot).activeElement ?? null;
}

function isSave(event: KeyboardEvent): boolean {
  return event.key.toLowerCase() === "s" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
}

/** A copy the notebook's own key handling accepts: it reads keyCode, which the constructor of KeyboardEvent ignores. */
function cloneKey(event: KeyboardEvent): KeyboardEvent {
  const copy = new KeyboardEvent("keydown", {
    key: event.key,
    code: event.code,
    ctrlKey: event.ctrlKey,
    metaKey: event.metaKey,
    bubbles: true,
    cancelable: true,
  });
  Object.defineProperty(copy, "keyCode", { get: () => event.keyCode || 83 });
  return copy;
}

/** Hand Ctrl/Cmd+S on to the notebook, which our attribute keeps it from. Returns the undo. */
export function forwardSave(root: HTMLElement): () => void {
  const listener = (event: KeyboardEvent): void => {
    if (!isSave(event)) return;
    event.preventDefault();
    event.stopPropagation();
    document.querySelector(".jp-Notebook")?.dispatchEvent(cloneKey(event));
  };
  root.addEventListener("keydown", listener);
  return () => root.removeEventListener("keydown", listener);
}
