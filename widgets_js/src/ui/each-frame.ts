import { effect, type ReadonlySignal, useSignal } from "@preact/signals";
import { useLayoutEffect, useState } from "preact/hooks";

/**
 * What is computed from a signal, at most once a frame and before it is painted: for what is dear. What is too dear for
 * a frame (`slow` ms of rest above 0) waits until its source rests. `compute` must stay the same function.
 */
export function useEachFrame<S, T>(source: ReadonlySignal<S>, compute: (value: S) => T, slow = 0): ReadonlySignal<T> {
  const [first] = useState(() => compute(source.peek()));
  const computed = useSignal(first);
  const computedFrom = useSignal(source.peek());
  useLayoutEffect(() => {
    let frame = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const draw = (): void => {
      const now = source.peek();
      if (now === computedFrom.peek()) return;
      computedFrom.value = now;
      computed.value = compute(now);
    };
    const stop = effect(() => {
      if (source.value === computedFrom.peek()) return;
      cancelAnimationFrame(frame);
      clearTimeout(timer);
      if (slow > 0) timer = setTimeout(draw, slow);
      else frame = requestAnimationFrame(draw);
    });
    return () => {
      stop();
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    };
  }, [source, compute, computed, computedFrom, slow]);
  return computed;
}
