// A button and what it opens. The platform's popover lies in the top layer: no output area clips it, Esc and a click
// elsewhere close it, and it stays in our part of the document, so tokens and keys reach it.
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { focusable } from "./focus.ts";

interface PopoverProps {
  label: ComponentChildren;
  class?: string;
  title?: string;
  /** What it is called where the label is no text. */
  name?: string;
  testid?: string;
  disabled?: boolean;
  tabIndex?: number;
  /** Its cell in a row whose cells arrow keys walk. */
  cell?: string;
  children: (close: () => void) => ComponentChildren;
}

const MARGIN = 8;

function place(panel: HTMLElement, button: HTMLElement): void {
  const anchor = button.getBoundingClientRect();
  const { width, height } = panel.getBoundingClientRect();
  const region = button.closest(".penstock-frame")?.getBoundingClientRect();
  const within = region !== undefined && region.width > width ? Math.max(region.left, region.right - width) : Infinity;
  const left = Math.min(anchor.left, within, window.innerWidth - width - MARGIN);
  const below = anchor.bottom + 4;
  const fits = below + height <= window.innerHeight - MARGIN || anchor.top < height + MARGIN;
  panel.style.left = `${Math.max(MARGIN, left)}px`;
  panel.style.top = `${fits ? Math.min(below, Math.max(MARGIN, window.innerHeight - height - MARGIN)) : anchor.top - height - 4}px`;
}

export function Popover(props: PopoverProps) {
  const { label, title, name, testid, disabled, tabIndex, cell, children, class: kind = "penstock-button" } = props;
  const id = useId();
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const shown = panel.current;
    if (!open || shown === null || typeof ResizeObserver === "undefined") return undefined;
    const observer = new ResizeObserver(() => {
      if (button.current !== null) place(shown, button.current);
    });
    observer.observe(shown); // what is loaded later has another size
    return () => observer.disconnect();
  }, [open]);
  const close = (): void => {
    panel.current?.hidePopover?.();
    button.current?.focus();
  };
  const onToggle = (event: Event): void => {
    const opened = (event as ToggleEvent).newState === "open";
    setOpen(opened);
    if (!opened) return;
    requestAnimationFrame(() => {
      if (panel.current === null || button.current === null) return;
      place(panel.current, button.current);
      panel.current.querySelector<HTMLElement>("input, button, textarea, select")?.focus({ preventScroll: true });
    });
  };
  return (
    <>
      <button
        {...focusable}
        ref={button}
        type="button"
        class={kind}
        title={title}
        aria-label={name}
        disabled={disabled}
        data-testid={testid}
        tabIndex={tabIndex}
        data-cell={cell}
        aria-expanded={open}
        aria-haspopup="dialog"
        onClick={() => panel.current?.togglePopover?.()}
      >
        {label}
      </button>
      <div ref={panel} id={id} class="penstock-popover" popover="auto" onToggle={onToggle}>
        {open ? children(close) : null}
      </div>
    </>
  );
}
