import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Session } from "../session/session.ts";
import { focusable } from "../ui/focus.ts";

/** Whose foot it is over, the first one there is: what scrolls there can be scrolled away from under it. */
const PLACES = [
  ".penstock-over .penstock-review-list",
  ".penstock-over .penstock-canvas",
  ".penstock-browser > .penstock-grid",
  ".penstock-rows",
  ".penstock-canvas",
];
const EDGE = 10;

/** Put it there; it stays there when the widget gets another size. */
function placed(line: HTMLElement | null): (() => void) | undefined {
  const frame = line?.parentElement;
  if (line === null || frame == null) return undefined;
  const put = (): void => {
    const place = PLACES.map((one) => frame.querySelector(one)).find((one) => one !== null);
    if (place == null) return;
    const [inner, outer] = [place.getBoundingClientRect(), frame.getBoundingClientRect()];
    line.style.left = `${inner.left - outer.left + EDGE}px`;
    line.style.bottom = `${Math.max(0, outer.bottom - inner.bottom) + EDGE}px`;
    line.style.maxWidth = `${Math.max(0, inner.width - 2 * EDGE)}px`;
    line.style.transform = "none";
  };
  put();
  if (typeof ResizeObserver === "undefined") return undefined;
  const observer = new ResizeObserver(put);
  observer.observe(frame);
  return () => observer.disconnect();
}

function isPopoverOpen(root: Element): boolean {
  return [...root.querySelectorAll<HTMLElement>("[popover]")].some((one) => one.getClientRects().length > 0);
}

/** Esc takes it away, whatever else the key does; an error takes the key for itself, unless something is open over it. */
function onEscape(line: HTMLElement | null, { edits, store }: Session): (() => void) | undefined {
  const root = line?.closest(".penstock");
  if (root == null) return undefined;
  const press = (event: Event): void => {
    if ((event as KeyboardEvent).key !== "Escape") return;
    const within = line?.contains(event.target as Node) ?? false;
    if (within || (store.toast.peek()?.bad && !isPopoverOpen(root))) {
      event.preventDefault();
      event.stopPropagation();
    }
    edits.dismissToast();
  };
  root.addEventListener("keydown", press, { capture: true });
  return () => root.removeEventListener("keydown", press, { capture: true });
}

/** What was done, and how to take it back: over the foot of what is worked on, until it is read. */
export function Toast({ session }: { session: Session }) {
  const { store, edits } = session;
  const { value } = store.toast;
  const line = useRef<HTMLDivElement>(null);
  const region = store.region.value;
  useLayoutEffect(() => placed(line.current), [value, region]);
  useEffect(() => (value === null ? undefined : onEscape(line.current, session)), [value, session]);
  if (value === null) return null;
  const dataset = store.dataset.value;
  const { actions } = store;
  const ofWeights = value.of === "weights";
  return (
    <div
      ref={line}
      onPointerEnter={() => edits.holdToast()}
      onPointerLeave={() => edits.leaveToast()}
      onFocusIn={() => edits.holdToast()}
      onFocusOut={() => edits.leaveToast()}
      class={`penstock-toast${value.bad ? " penstock-bad-toast" : ""}`}
      role={value.bad ? "alert" : undefined}
      data-testid={value.bad ? "penstock-problem" : "penstock-toast"}
    >
      <span>{value.text}</span>
      {value.bad ? (
        <button {...focusable} type="button" class="penstock-link" onClick={() => edits.dismissToast()}>
          Dismiss
        </button>
      ) : null}
      {value.action === undefined ? null : (
        <button
          {...focusable}
          type="button"
          class="penstock-link"
          onClick={(event) => {
            value.action?.run(event.currentTarget);
            edits.dismissToast();
          }}
        >
          {value.action.label}
        </button>
      )}
      {value.undo && (ofWeights || dataset?.can_undo != null) ? (
        <button
          {...focusable}
          type="button"
          class="penstock-link"
          onClick={() => void (ofWeights ? actions.undoWeights() : actions.undo())}
        >
          Undo
        </button>
      ) : null}
      {value.redo && (ofWeights || dataset?.can_redo != null) ? (
        <button
          {...focusable}
          type="button"
          class="penstock-link"
          onClick={() => void (ofWeights ? actions.redoWeights() : actions.redo())}
        >
          Redo
        </button>
      ) : null}
    </div>
  );
}
