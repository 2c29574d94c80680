// What the pages of a class's menu have in common: a form with Back, and a place for reasons that is always there.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Session } from "../session/session.ts";
import { focusable } from "../ui/focus.ts";

export interface PageProps {
  session: Session;
  index: number;
  name: string;
  /** "31 objects in 25 images"; null while it is counted. */
  touch: string | null;
  back: () => void;
  close: () => void;
}

interface FormProps {
  submit: string;
  off: boolean;
  onSubmit: () => void | Promise<void>;
  back?: () => void;
  testid?: string;
  children: ComponentChildren;
}

export function Form({ submit, off, onSubmit, back, testid = "penstock-class-submit", children }: FormProps) {
  const root = useRef<HTMLFormElement>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    const field =
      root.current?.querySelector<HTMLElement>("[aria-checked=true]") ?? root.current?.querySelector("input");
    (field ?? root.current?.querySelector<HTMLElement>("button[type=submit]"))?.focus({ preventScroll: true });
    if (field instanceof HTMLInputElement && field.type === "text") field.select();
  }, []);
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    event.stopPropagation();
    if (off || busy) return;
    setBusy(true);
    await onSubmit();
    setBusy(false);
  };
  return (
    <form
      ref={root}
      onSubmit={(event) => void send(event)}
      onKeyDown={(event) => {
        // a notebook may keep Enter from submitting the form
        if (event.key === "Enter" && event.target instanceof HTMLInputElement) void send(event);
      }}
    >
      {children}
      <div class="penstock-row penstock-form-end">
        {back === undefined ? null : (
          <button {...focusable} type="button" class="penstock-button" onClick={back}>
            Back
          </button>
        )}
        <button
          {...focusable}
          type="submit"
          class="penstock-button penstock-primary"
          disabled={off || busy}
          data-testid={testid}
          title={submit}
        >
          {submit}
        </button>
      </div>
    </form>
  );
}

/** A line or two that keep their place: why something is refused. */
export function Reason({ bad = false, children }: { bad?: boolean; children: ComponentChildren }) {
  return (
    <p class={`penstock-reason${bad ? " penstock-bad" : ""}`} role="status" data-testid="penstock-reason">
      {children}
    </p>
  );
}
