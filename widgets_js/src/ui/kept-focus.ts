// An element that has the focus may go with what it belongs to: the chip of a sample that leaves the filter. The browser
// then gives the focus to the page, where no key of ours is heard.
import { FOCUSABLE_SELECTOR, focused } from "./focus.ts";

const REGION = "[data-testid=penstock-left], [data-testid=penstock-right], [data-testid=penstock-header]";

/** Gives focus that went with its element to the list of the region it was in, or to what stands there in its place. */
export function keepFocus(root: HTMLElement): () => void {
  let last: { element: Element; region: Element | null } | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const come = ({ target }: FocusEvent): void => {
    last = target instanceof Element ? { element: target, region: target.closest(REGION) } : null;
  };
  const go = ({ target }: FocusEvent): void => {
    setTimeout(() => {
      if (last?.element === target && last?.element.isConnected) last = null; // somebody left it
    });
  };
  const rest = (): void => {
    if (last === null || last.element.isConnected) return;
    const { region } = last;
    last = null;
    const now = focused(root);
    if (now === null || now === document.body)
      placeIn(region?.isConnected ? region : root)?.focus({ preventScroll: true });
  };
  const observer = new MutationObserver(() => {
    if (last === null || last.element.isConnected) return;
    clearTimeout(timer);
    timer = setTimeout(rest, 0); // after whoever knows a better place
  });
  root.addEventListener("focusin", come);
  root.addEventListener("focusout", go);
  observer.observe(root, { childList: true, subtree: true });
  return () => {
    clearTimeout(timer);
    observer.disconnect();
    root.removeEventListener("focusin", come);
    root.removeEventListener("focusout", go);
  };
}

function placeIn(region: Element): HTMLElement | undefined {
  const all = [...region.querySelectorAll<HTMLElement>(FOCUSABLE_SELECTOR)];
  const places = all.filter((one) => one.tabIndex >= 0 && !one.matches(":disabled"));
  const list = places.find((one) => one.matches("[role=grid], .penstock-empty *"));
  return list ?? places[0];
}
