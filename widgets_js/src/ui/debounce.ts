export interface Debounced<A extends unknown[]> {
  (...args: A): void;
  flush(): void;
  cancel(): void;
}

/** Calls `run` once, `wait` ms after the last call. One per thing saved: a shared one would lose saves. */
export function debounce<A extends unknown[]>(run: (...args: A) => void, wait: number): Debounced<A> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let pending: A | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    const args = pending;
    pending = undefined;
    if (args !== undefined) run(...args);
  };
  const debounced = (...args: A): void => {
    pending = args;
    clearTimeout(timer);
    timer = setTimeout(flush, wait);
  };
  return Object.assign(debounced, {
    flush,
    cancel: () => {
      clearTimeout(timer);
      pending = undefined;
    },
  });
}
