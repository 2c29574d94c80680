// A text with little room: where it is cut, a button shows the whole of it.
import type { ComponentChildren, RefObject } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Popover } from "./popover.tsx";

interface ReadableProps {
  class: string;
  testid: string;
  children: ComponentChildren;
}

const REST_MS = 120; // measured when it rests: a slider writes a text with every frame

/** Whether the text of an element does not fit into it. */
export function useCut<E extends HTMLElement>(changes: unknown): [RefObject<E | null>, boolean] {
  const text = useRef<E>(null);
  const [cut, setCut] = useState(false);
  useLayoutEffect(() => {
    const element = text.current;
    if (element === null) return undefined;
    const read = (): void => {
      setCut(element.scrollHeight > element.clientHeight + 1 || element.scrollWidth > element.clientWidth + 1);
    };
    const timer = setTimeout(read, REST_MS);
    const observer = typeof ResizeObserver === "undefined" ? undefined : new ResizeObserver(read);
    observer?.observe(element);
    return () => {
      clearTimeout(timer);
      observer?.disconnect();
    };
  }, [changes]);
  return [text, cut];
}

/** Opens the whole text. */
export function Whole({
  testid,
  label = "more",
  children,
}: {
  testid: string;
  label?: string;
  children: ComponentChildren;
}) {
  return (
    <Popover class="penstock-link penstock-whole-opener" label={label} name="Show the whole text" testid={testid}>
      {() => <p class="penstock-whole">{children}</p>}
    </Popover>
  );
}

/** As many lines as the sheet gives it. */
export function Readable({ class: kind, testid, children }: ReadableProps) {
  const [text, cut] = useCut<HTMLParagraphElement>(children);
  return (
    <div class={`penstock-readable ${kind}`} data-testid={testid}>
      <p ref={text} role="status">
        {children}
      </p>
      {cut ? <Whole testid={`${testid}-more`}>{children}</Whole> : null}
    </div>
  );
}
