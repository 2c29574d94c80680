import { useState } from "preact/hooks";
import { searchClasses } from "../session/labels.ts";
import { classColor } from "../ui/colors.ts";
import { focusable, focused } from "../ui/focus.ts";

interface ClassPickerProps {
  names: readonly string[];
  label: string;
  onChoose: (index: number) => void;
  onNew?: ((name: string) => void) | undefined;
}

const SHOWN = 40;

/** A search over class names: type, arrow down or Enter for the first. */
export function ClassPicker({ names, label, onChoose, onNew }: ClassPickerProps) {
  const [typed, setTyped] = useState("");
  const found = searchClasses(names, typed, SHOWN);
  const name = typed.trim();
  const fresh = onNew !== undefined && name !== "" && !names.includes(name);
  const submit = (event: Event): void => {
    event.preventDefault();
    event.stopPropagation();
    const first = found[0];
    if (first !== undefined) onChoose(first);
    else if (fresh) onNew(name);
  };
  return (
    <div class="penstock-picker">
      <input
        {...focusable}
        class="penstock-field"
        aria-label={label}
        placeholder="find a class"
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter") submit(event);
        }}
        data-testid="penstock-class-search"
      />
      <ul class="penstock-choices" aria-label="Classes" onKeyDown={stepChoices}>
        {found.map((index) => (
          <li key={index}>
            <button {...focusable} type="button" onClick={() => onChoose(index)}>
              <span>
                <span class="penstock-dot" style={{ background: classColor(index) }} /> {names[index]}
              </span>
            </button>
          </li>
        ))}
        {fresh ? (
          <li>
            <button {...focusable} type="button" onClick={() => onNew(name)}>
              new class “{name}”
            </button>
          </li>
        ) : null}
      </ul>
    </div>
  );
}

/** Arrow keys walk a list of buttons. */
export function stepChoices(event: KeyboardEvent): void {
  const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (by === 0) return;
  const list = event.currentTarget as HTMLElement;
  const buttons = [...list.querySelectorAll("button")];
  const at = buttons.indexOf(focused(list) as HTMLButtonElement);
  buttons[at + by]?.focus();
  event.preventDefault();
}
