import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { GridFilter } from "../session/protocol.ts";
import type { Store } from "../session/store.ts";
import { classColor } from "../ui/colors.ts";
import { focusable } from "../ui/focus.ts";
import { Switch } from "../ui/switch.tsx";
import type { Chip } from "./filter-words.ts";

/** Chips with ×, one stop of the Tab key: arrows go from one to the next, Enter or Delete removes it. */
export function FilterChips({ store, chips, label }: { store: Store; chips: readonly Chip[]; label: string }) {
  const list = useRef<HTMLUListElement>(null);
  const [active, setActive] = useState(0);
  const stop = Math.min(active, chips.length - 1);
  const keys = chips.map(({ key }) => key).join("\n");
  const focused = useRef(false);
  useLayoutEffect(() => {
    if (!focused.current || list.current?.contains(document.activeElement)) return;
    list.current?.querySelectorAll("button")[stop]?.focus(); // the chip that had the focus is gone
  }, [keys]);
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step !== 0) {
      const next = Math.max(0, Math.min(chips.length - 1, stop + step));
      setActive(next);
      list.current?.querySelectorAll("button")[next]?.focus();
    } else if (event.key === "Delete" || event.key === "Backspace") void chips[stop]?.remove();
    else return;
    event.preventDefault();
  };
  return (
    <ul
      ref={list}
      class="penstock-chips"
      aria-label={label}
      onKeyDown={onKeyDown}
      onFocusIn={() => {
        focused.current = true;
      }}
      onFocusOut={(event) => {
        focused.current = event.relatedTarget === null; // removed with its chip, else moved elsewhere
      }}
    >
      {chips.map((chip, number) => (
        <li key={chip.key} class={`penstock-pill penstock-filter-chip penstock-${chip.kind}-chip`} title={chip.text}>
          {chip.index === undefined ? null : (
            <span class="penstock-dot" style={{ background: classColor(chip.index) }} />
          )}
          <span class="penstock-chip-text">{chip.text}</span>
          <button
            {...focusable}
            type="button"
            tabIndex={number === stop ? 0 : -1}
            class="penstock-chip-remove"
            aria-label={`Remove the filter ${chip.text}`}
            data-testid="penstock-chip-remove"
            disabled={!store.isLive.value}
            onFocus={() => setActive(number)}
            onClick={() => void chip.remove()}
          >
            ✕
          </button>
        </li>
      ))}
    </ul>
  );
}

const HOW: readonly { value: GridFilter["how"]; label: string; title: string }[] = [
  { value: "any", label: "any", title: "samples with at least one of the classes" },
  { value: "all", label: "all", title: "samples with every one of the classes" },
  { value: "not", label: "not", title: "samples with none of the classes" },
];

/** Any, all or none of several classes. */
export function HowSwitch({ store }: { store: Store }) {
  const { classes, how } = store.filter.value;
  if (classes.length < 2 && how === "any") return null;
  return (
    <Switch
      label="Classes a sample must have"
      testid="penstock-how"
      options={HOW}
      value={how}
      disabled={!store.isLive.value || classes.length === 0}
      onChange={(chosen) => void store.actions.filterHow(chosen)}
    />
  );
}
