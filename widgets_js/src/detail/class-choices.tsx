import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { searchClasses } from "../session/labels.ts";
import type { Session } from "../session/session.ts";
import { classColor, classDash } from "../ui/colors.ts";
import { focusable } from "../ui/focus.ts";
import { countText } from "../ui/number-text.ts";
import { useUniqueId } from "../ui/unique-id.ts";

const SHOWN = 60;

interface Props {
  session: Session;
  /** A class was chosen, or the list is to go: `chosen` null. */
  onDone: () => void;
  /** Grows by one when the caret is to go into the field. */
  focus: number;
}

/** All classes to choose from, those used lately first, with the keys they have. The caret stays in the field; arrows walk the list. */
export function ClassChoices({ session, onDone, focus }: Props) {
  const { store, labeling } = session;
  const field = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const [typed, setTyped] = useState("");
  const [active, setActive] = useState<number | null>(null);
  const id = useUniqueId("choices");
  const names = store.classNames.value;
  const { recent, rest, more } = choicesOf(session, typed);
  const all = [...recent, ...rest];
  const name = typed.trim();
  const creatable = store.dataset.value?.classes_fixed === null && labeling.aim.value.kind !== "class";
  const fresh = creatable && name !== "" && !names.includes(name);
  const current = currentOf(session);
  useLayoutEffect(() => {
    if (focus > 0) field.current?.focus({ preventScroll: true });
    setTyped(""); // before the next key: an effect after the paint would take back what was typed meanwhile
    setActive(null);
  }, [focus]);
  useEffect(() => {
    list.current?.querySelector(".penstock-active")?.scrollIntoView?.({ block: "nearest" });
  }, [active]);
  const choose = (label: number): void => {
    void labeling.choose(label);
    onDone();
  };
  const create = (): void => {
    void labeling.create(name);
    onDone();
  };
  const submit = (): void => {
    const chosen = active ?? names.indexOf(name);
    const label = chosen >= 0 ? chosen : name === "" ? undefined : all[0];
    if (label !== undefined) choose(label);
    else if (fresh) create();
  };
  const leave = (): void => {
    labeling.done();
    onDone();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key in STEPS) setActive(stepped(all, active, STEPS[event.key] ?? 1));
    else if (event.key === "Enter") submit();
    else if (event.key === "Escape") leave();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const option = (label: number) => (
    <Choice
      key={label}
      id={`${id}-${label}`}
      session={session}
      label={label}
      selected={label === current}
      active={label === active}
      onChoose={() => choose(label)}
    />
  );
  return (
    <div class="penstock-class-choices" data-testid="penstock-class-choices">
      <input
        {...focusable}
        ref={field}
        class="penstock-field"
        role="combobox"
        aria-label={labeling.aimText()}
        aria-expanded="true"
        aria-controls={id}
        aria-activedescendant={active === null ? undefined : `${id}-${active}`}
        placeholder={creatable ? "find or name a class (C)" : "find a class (C)"}
        value={typed}
        maxLength={200}
        autocomplete="off"
        onInput={(event) => {
          setTyped(event.currentTarget.value);
          setActive(null);
        }}
        onKeyDown={onKeyDown}
        data-testid="penstock-class-find"
      />
      <p class="penstock-aim" data-testid="penstock-aim">
        {labeling.aimText()}
      </p>
      <div class="penstock-choice-list" ref={list} role="listbox" id={id} aria-label="Classes">
        {recent.length === 0 ? null : (
          <div role="group" aria-label="Recent">
            <p class="penstock-choice-head" aria-hidden="true">
              Recent
            </p>
            {recent.map(option)}
          </div>
        )}
        {rest.length === 0 ? null : (
          <div role="group" aria-label={`All ${names.length}`}>
            {typed === "" ? (
              <p class="penstock-choice-head" aria-hidden="true">
                All {countText(names.length)}
              </p>
            ) : null}
            {rest.map(option)}
          </div>
        )}
      </div>
      {more > 0 ? <p class="penstock-choice-note">{countText(more)} more: type to find them</p> : null}
      {fresh ? (
        <button
          {...focusable}
          type="button"
          class="penstock-choice-new"
          onClick={create}
          data-testid="penstock-class-new"
        >
          <kbd>⏎</kbd> add class “{name}”
        </button>
      ) : creatable && name === "" ? (
        <p class="penstock-choice-note">
          <kbd>⏎</kbd> type a name to add a class
        </p>
      ) : null}
    </div>
  );
}

const STEPS: Record<string, 1 | -1> = { ArrowDown: 1, ArrowUp: -1 };

function stepped(all: readonly number[], active: number | null, by: 1 | -1): number | null {
  const at = active === null ? (by === 1 ? -1 : all.length) : all.indexOf(active);
  return all[Math.min(Math.max(at + by, 0), all.length - 1)] ?? null;
}

function choicesOf({ store, labeling }: Session, typed: string): { recent: number[]; rest: number[]; more: number } {
  const names = store.classNames.value;
  if (typed.trim() !== "") {
    const found = searchClasses(names, typed, names.length);
    return { recent: [], rest: found.slice(0, SHOWN), more: Math.max(0, found.length - SHOWN) };
  }
  const recent = labeling.keys.recent.value;
  const keyed = labeling.keys.classes.value.filter((index) => !recent.includes(index));
  const taken = new Set([...recent, ...keyed]);
  const others = names.map((_, index) => index).filter((index) => !taken.has(index));
  const rest = [...keyed, ...others];
  return { recent, rest: rest.slice(0, SHOWN), more: Math.max(0, rest.length - SHOWN) };
}

/** The class that what is aimed at has now. */
function currentOf({ labeling, detail }: Session): number | null {
  const aim = labeling.aim.value;
  const labels = detail.sample.value?.labels ?? [];
  if (aim.kind === "box") return labels[aim.index] ?? null;
  if (aim.kind === "class") return aim.label;
  if (aim.kind === "next") return detail.drawLabel();
  return aim.kind === "image" ? (labels[0] ?? null) : null;
}

interface ChoiceProps {
  id: string;
  session: Session;
  label: number;
  selected: boolean;
  active: boolean;
  onChoose: () => void;
}

function Choice({ id, session, label, selected, active, onChoose }: ChoiceProps) {
  const { store, labeling } = session;
  const key = labeling.keys.keyOf(label);
  const name = store.classNames.value[label] ?? `class ${label}`;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the field takes the keys
    <div
      id={id}
      role="option"
      tabIndex={-1}
      aria-selected={selected}
      class={`penstock-choice${selected ? " penstock-chosen" : ""}${active ? " penstock-active" : ""}`}
      data-class={name}
      title={name}
      onPointerDown={(event) => event.preventDefault()}
      onClick={onChoose}
      {...focusable}
    >
      {key === null ? <span /> : <kbd>{key}</kbd>}
      <ClassMark label={label} />
      <span class="penstock-choice-name">{name}</span>
      <span class="penstock-number">{countText(store.dataset.value?.class_counts[label] ?? 0)}</span>
    </div>
  );
}

/** Color and dashes of a class's boxes. */
export function ClassMark({ label }: { label: number | null }) {
  const color = classColor(label);
  return (
    <svg class="penstock-choice-mark" width="15" height="11" viewBox="0 0 15 11" aria-hidden="true">
      <rect
        x="1"
        y="1"
        width="13"
        height="9"
        rx="1"
        stroke-width="2"
        stroke-dasharray={label === null ? "none" : classDash(label)}
        style={{ stroke: color, fill: color, fillOpacity: 0.28 }}
      />
    </svg>
  );
}
