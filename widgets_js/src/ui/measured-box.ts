import type { RefObject } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

export interface Box {
  readonly width: number;
  readonly height: number;
}

/** Size of an element's content in CSS pixels, followed; `fallback` where nothing is laid out. */
export function useMeasuredBox<E extends HTMLElement>(fallback: Box): [RefObject<E | null>, Box] {
  const element = useRef<E | null>(null);
  const [box, setBox] = useState(fallback);
  useLayoutEffect(() => {
    const target = element.current;
    if (target === null) return;
    const measure = (): void => {
      const width = Math.floor(target.clientWidth);
      const height = Math.floor(target.clientHeight);
      if (width > 0 && height > 0)
        setBox((last) => (last.width === width && last.height === height ? last : { width, height }));
    };
    measure();
    if (typeof ResizeObserver === "undefined") return;
    const observer = new ResizeObserver(measure);
    observer.observe(target);
    return () => observer.disconnect();
  }, []);
  return [element, box];
}
