import { effect, type ReadonlySignal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { debounce } from "./debounce.ts";

/**
 * A signal that follows another once it has not changed for `wait` ms: for what need not move with a slider.
 * A change to something of another kind is followed at once.
 */
export function useAtRest<T>(
  source: ReadonlySignal<T>,
  wait = 150,
  sameKind: (a: T, b: T) => boolean = () => true,
): ReadonlySignal<T> {
  const rested = useSignal(source.peek());
  useEffect(() => {
    const follow = debounce(() => {
      rested.value = source.peek();
    }, wait);
    const stop = effect(() => {
      const now = source.value;
      if (rested.peek() === null || !sameKind(rested.peek(), now)) rested.value = now;
      else if (now !== rested.peek()) follow();
    });
    return () => {
      stop();
      follow.cancel();
    };
  }, [source, rested, wait, sameKind]);
  return rested;
}
