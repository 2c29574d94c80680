const NAME = "penstock:slider";
const KEPT = 2000; // entries; a page that is dragged on for hours must not fill with them

let taken = 0;

/** Time from the start of a slider's handler to the redrawn bars, for whoever measures us. */
export function measured(handler: () => void): void {
  const start = performance.now();
  handler();
  if (++taken % KEPT === 0) performance.clearMeasures?.(NAME);
  performance.measure?.(NAME, { start, end: performance.now() });
}
