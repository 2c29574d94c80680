// Keys in the editor act on the image wherever the focus is in it, except where one types.
import type { Session } from "../session/session.ts";

const OF_BUTTONS = new Set(["Enter", " ", "Tab"]);

function typesText(target: Element): boolean {
  return target.matches("textarea, select, [contenteditable='true']") || target instanceof HTMLInputElement;
}

export function editorKey(event: KeyboardEvent, session: Session): void {
  const target = event.target as Element;
  if (event.defaultPrevented) return;
  const { detail } = session;
  const onStage = target.classList.contains("penstock-stage");
  if (target instanceof HTMLInputElement && target.type === "radio" && event.key === "Escape") detail.focusStage();
  else if (typesText(target) || target.closest("[popover]") !== null) return;
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
  if (plain && event.key.toLowerCase() === "b") {
    if (!event.repeat) detail.hold(true);
    event.preventDefault();
  } else if (!onStage && !OF_BUTTONS.has(event.key)) {
    detail.onKey(event);
    if (event.defaultPrevented && !session.labeling.picking.value) detail.focusStage();
  }
}

export function editorKeyUp(event: KeyboardEvent, { detail }: Session): void {
  if (event.key.toLowerCase() === "b" && !typesText(event.target as Element)) detail.hold(false);
}
