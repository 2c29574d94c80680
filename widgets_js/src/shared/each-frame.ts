import { effect, type ReadonlySignal, useSignal } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";

/** A signal that follows another at most once a frame, before it is painted: for what is dear to compute. */
export function useEachFrame<T>(source: ReadonlySignal<T>): ReadonlySignal<T> {
  const drawn = useSignal(source.peek());
  useLayoutEffect(() => {
    let frame = 0;
    const stop = effect(() => {
      const now = source.value;
      if (now === drawn.peek()) return;
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => {
        drawn.value = source.peek();
      });
    });
    return () => {
      stop();
      cancelAnimationFrame(frame);
    };
  }, [source, drawn]);
  return drawn;
}
