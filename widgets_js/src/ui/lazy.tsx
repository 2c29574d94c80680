// A component whose code is in the second file of the build. Where it will be a skeleton holds its place:
//
//   const ImageEditor = lazy(() => import("…/image-editor.tsx").then((part) => part.ImageEditor), "penstock-over");
//
// `npm run build` moves what is imported like this, and what nothing else needs, out of the first file.
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { focusable, focused } from "./focus.ts";

type Component<P> = (props: P) => ComponentChildren;

const RETRY_MS = [500, 2000];
const FIRST = "input, button, select, textarea";

/**
 * The component that `load` finds, once it is there.
 *
 * `place` is the class of what is shown instead: it has the size of the component, so that nothing moves. A load that
 * fails is tried again twice, then by a button.
 */
export function lazy<P extends object>(load: () => Promise<Component<P>>, place = ""): Component<P> {
  let found: Component<P> | null = null;
  const get = async (): Promise<void> => {
    found ??= await load();
  };
  return function Lazy(props: P) {
    const [fault, setFault] = useState<string | null>(null);
    const [, setTries] = useState(0);
    const holder = useRef<HTMLDivElement>(null);
    const popup = useRef<HTMLElement | null>(null);
    useLayoutEffect(() => {
      if (found !== null || fault !== null) return undefined;
      popup.current = holder.current?.closest<HTMLElement>(".penstock-popover") ?? null;
      let timer: ReturnType<typeof setTimeout> | undefined;
      let gone = false;
      const attempt = (tries: number): void => {
        get().then(
          () => gone || setTries((before) => before + 1),
          (failure) => {
            const wait = RETRY_MS[tries];
            if (gone) return;
            if (wait === undefined) setFault(reason(failure));
            else timer = setTimeout(() => attempt(tries + 1), wait);
          },
        );
      };
      attempt(0);
      return () => {
        gone = true;
        clearTimeout(timer);
      };
    }, [fault]);
    const Found = found;
    useLayoutEffect(() => {
      const panel = popup.current;
      if (Found === null || panel === null) return;
      popup.current = null;
      if (!panel.contains(focused(panel))) panel.querySelector<HTMLElement>(FIRST)?.focus({ preventScroll: true });
    }, [Found]);
    if (Found !== null) return <Found {...props} />;
    return (
      <div ref={holder} class={`penstock-lazy ${place}`} aria-busy={fault === null} data-testid="penstock-lazy">
        {fault === null ? (
          <span class="penstock-skeleton" />
        ) : (
          <p class="penstock-note" role="alert">
            {fault}{" "}
            <button {...focusable} type="button" class="penstock-link" onClick={() => setFault(null)}>
              Retry
            </button>
          </p>
        )}
      </div>
    );
  };
}

function reason(failure: unknown): string {
  const text = failure instanceof Error ? failure.message : "";
  return /penstock|kernel/i.test(text) ? text : "This part could not be loaded.";
}
