import type { Session } from "../session/session.ts";

/** Back to the grid, with the focus where the review was opened from. */
export function closeReview({ store }: Session): void {
  const frame = document.activeElement?.closest(".penstock");
  store.region.value = "grid";
  requestAnimationFrame(() => {
    const pill = frame?.querySelector<HTMLElement>("[data-testid=penstock-edits]");
    (pill ?? frame?.querySelector<HTMLElement>("[data-testid=penstock-grid]"))?.focus();
  });
}
