import { effect } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Session } from "../session/session.ts";
import { formatWeight } from "../session/text-binding.ts";
import { focusable } from "../ui/focus.ts";
import { measured } from "./measured.ts";
import { type CellProps, noteId } from "./row-props.ts";
import type { SliderRow } from "./slider-rows.ts";
import { END, positionOf, roundWeight, weightAfterKey, weightAt } from "./slider-scale.ts";
import type { TableModel } from "./table-model.ts";

const DOUBLE_CLICK_MS = 300; // a row that moves between two clicks would lose the second

/** Slider and number. A class without a clause has both too: their first move writes the clause. */
export function WeightCells(props: CellProps) {
  const { session, model, row, disabled, tab, locked } = props;
  const { store } = session;
  const { state } = model;
  const { clause, classIndex } = row;
  const slider = useRef<HTMLInputElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const pressed = useRef(false); // by a pointer; keys hold the row until focus leaves it
  const standing = (): number => standingOf(model, row);
  useLayoutEffect(
    () =>
      effect(() =>
        show(slider.current, field.current, standing(), { most: state.most.value, ghost: isGhost(model, row) }),
      ),
    [model, row],
  );
  const move = (value: number): void => {
    model.hold(row);
    measured(() => {
      if (classIndex !== null && (clause === null || state.asked.peek().has(classIndex)))
        void state.moveGhost(classIndex, value);
      else if (clause !== null) state.move(clause, value);
    });
  };
  const letGo = (): void => {
    const moved = store.dragging.peek() || pressed.current;
    store.dragging.value = false;
    pressed.current = false;
    if (!moved) return;
    setTimeout(() => {
      if (!store.dragging.peek()) model.release();
    }, DOUBLE_CLICK_MS);
  };
  const reset = (): void => {
    if (off || clause === null) return;
    if (classIndex === null) move(1);
    else void state.remove(clause);
  };
  const onKey = (event: KeyboardEvent): void => {
    const inField = event.currentTarget === field.current;
    const next = weightOfKey(event, inField, standing(), state.most.peek());
    if (next === null) return;
    if (next === "reset") reset();
    else if (next === "done") model.release();
    else move(next);
    event.preventDefault();
    event.stopPropagation();
  };
  const off = disabled || !row.literal || (clause === null && (classIndex === null || !store.isLive.value));
  const why = off ? whyOff(session, row, locked) : undefined;
  if (row.kind === "unlabeled") {
    return (
      <>
        <div role="cell" class="penstock-slider-cell" />
        <div role="cell" class="penstock-weight-cell" />
      </>
    );
  }
  return (
    <>
      <div role="cell" class="penstock-slider-cell" title={why}>
        <input
          {...focusable}
          ref={slider}
          type="range"
          min={0}
          max={END}
          step={1}
          tabIndex={tab}
          disabled={off}
          class="penstock-slider"
          aria-label={`weight of ${row.label}`}
          aria-describedby={clause === null ? undefined : noteId(props)}
          data-cell="slider"
          data-testid="weight-slider"
          data-class={row.label}
          onPointerDown={() => {
            pressed.current = true;
            model.hold(row);
          }}
          onInput={(event) => {
            move(weightAt(event.currentTarget.valueAsNumber, state.most.peek()));
            store.dragging.value = true;
          }}
          onChange={letGo}
          onPointerUp={letGo}
          onLostPointerCapture={letGo}
          onBlur={letGo}
          onDblClick={reset}
          onKeyDown={onKey}
        />
      </div>
      <div role="cell" class="penstock-weight-cell">
        <input
          {...focusable}
          ref={field}
          type="text"
          inputMode="decimal"
          autocomplete="off"
          tabIndex={tab}
          disabled={off}
          class="penstock-weight-field"
          aria-label={`weight of ${row.label}, as a number`}
          data-cell="number"
          data-testid="weight-number"
          data-class={row.label}
          onInput={(event) => {
            const typed = typedWeight(event.currentTarget.value);
            if (typed !== null) move(typed);
          }}
          onFocus={(event) => event.currentTarget.select()}
          onBlur={() =>
            show(slider.current, field.current, standing(), { most: state.most.peek(), ghost: isGhost(model, row) })
          }
          onKeyDown={onKey}
        />
      </div>
    </>
  );
}

/** What a key does on a slider, or in its number, where most keys are for the text. */
function weightOfKey(event: KeyboardEvent, inField: boolean, weight: number, most: number): number | Done | null {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  if (inField) {
    if (event.key === "Enter") return "done";
    return PAGES.has(event.key) ? weightAfterKey(weight, event.key, most) : null;
  }
  return RESETS.has(event.key) ? "reset" : weightAfterKey(weight, event.key, most);
}

type Done = "reset" | "done";

const RESETS: ReadonlySet<string> = new Set(["Backspace", "Delete"]);
const PAGES: ReadonlySet<string> = new Set(["PageUp", "PageDown"]);

function whyOff({ store }: Session, row: SliderRow, locked: boolean): string | undefined {
  if (locked) return "locked: unlock it in its menu";
  if (store.textFault.value !== null) return store.textFault.value;
  if (!row.literal) return row.clause === null ? "the weights come from a tensor or an array" : "edit the query text";
  if (row.classIndex === null) return "weights are relative: set the weight of a class";
  return store.isLive.value ? undefined : "needs a running kernel";
}

function typedWeight(text: string): number | null {
  const typed = text.trim() === "" ? Number.NaN : Number(text.trim().replace(",", "."));
  return Number.isFinite(typed) && typed >= 0 ? roundWeight(typed) : null;
}

/** Where the slider is: on its way into the text, in the text, or at 1. */
function standingOf({ store, state }: TableModel, row: SliderRow): number {
  const asked = row.classIndex === null ? undefined : state.asked.value.get(row.classIndex);
  return asked ?? (row.clause === null ? 1 : (store.weights.value[row.clause] ?? 0));
}

function isGhost({ state }: TableModel, row: SliderRow): boolean {
  return row.clause === null && !(row.classIndex !== null && state.asked.value.has(row.classIndex));
}

function show(
  slider: HTMLInputElement | null,
  field: HTMLInputElement | null,
  weight: number,
  scale: { most: number; ghost: boolean },
): void {
  if (slider !== null) showSlider(slider, weight, scale);
  if (field === null) return;
  const typing = (field.getRootNode() as Document).activeElement === field;
  if (!typing || typedWeight(field.value) !== weight) field.value = formatWeight(weight);
}

function showSlider(slider: HTMLInputElement, weight: number, { most, ghost }: { most: number; ghost: boolean }): void {
  const text = formatWeight(weight);
  const position = positionOf(weight, most);
  const shown = `${text} of ${most}${ghost ? ", not set" : ""}`;
  if (slider.dataset.shown === shown && slider.valueAsNumber === position) return;
  slider.value = String(position);
  slider.dataset.shown = shown;
  slider.dataset.weight = text;
  slider.setAttribute("aria-valuetext", ghost ? `${text}, not set` : `weight ${text}`);
  slider.style.setProperty("--penstock-from", `${Math.min(500, position) / 10}%`);
  slider.style.setProperty("--penstock-to", `${ghost ? 50 : Math.max(500, position) / 10}%`);
  const row = slider.closest<HTMLElement>("[data-key]");
  if (row !== null) row.dataset.ghost = String(ghost);
}
