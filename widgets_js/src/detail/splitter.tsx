import { useRef } from "preact/hooks";
import { focusable } from "../ui/focus.ts";

interface Props {
  label: string;
  /** Which way the edge moves. */
  along: "x" | "y";
  value: number;
  least: number;
  /** What is left at least to the pane before it. */
  rest: number;
  /** null: the usual size. */
  onChange: (size: number | null) => void;
}

const STEP = 16;

/** The edge of a pane that is after it: dragged, moved by arrows, set back by a double click or Backspace. */
export function Splitter({ label, along, value, least, rest, onChange }: Props) {
  const start = useRef<{ at: number; size: number } | null>(null);
  const place = (event: PointerEvent): number => (along === "x" ? event.clientX : event.clientY);
  const element = useRef<HTMLDivElement>(null);
  const most = (): number => {
    const room = element.current?.parentElement?.parentElement?.getBoundingClientRect();
    return Math.max(least, (along === "x" ? (room?.width ?? 0) : (room?.height ?? 0)) - rest);
  };
  const set = (size: number): void => onChange(Math.round(Math.min(Math.max(size, least), most())));
  const grow = along === "x" ? "ArrowLeft" : "ArrowUp";
  const shrink = along === "x" ? "ArrowRight" : "ArrowDown";
  return (
    <div
      {...focusable}
      ref={element}
      class={`penstock-splitter penstock-along-${along}`}
      role="separator"
      tabIndex={0}
      aria-label={label}
      aria-orientation={along === "x" ? "vertical" : "horizontal"}
      aria-valuenow={value}
      aria-valuemin={least}
      title="drag to resize; double-click for the default size"
      data-testid="penstock-splitter"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        start.current = { at: place(event), size: value };
      }}
      onPointerMove={(event) => {
        if (start.current !== null) set(start.current.size - (place(event) - start.current.at));
      }}
      onPointerUp={() => {
        start.current = null;
      }}
      onDblClick={() => onChange(null)}
      onKeyDown={(event) => {
        const by = event.key === grow ? 1 : event.key === shrink ? -1 : 0;
        if (by !== 0) set(value + by * STEP);
        else if (event.key === "Home") set(most());
        else if (event.key === "End") set(least);
        else if (event.key === "Backspace" || event.key === "Delete") onChange(null);
        else return;
        event.preventDefault();
        event.stopPropagation();
      }}
    />
  );
}
