import { effect } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Store } from "../session/store.ts";
import { formatWeight } from "../session/text-binding.ts";
import { chartsOf } from "../statistics/charts.ts";
import { classColor } from "../ui/colors.ts";
import { focusable, focused } from "../ui/focus.ts";
import { useUniqueId } from "../ui/unique-id.ts";
import { measured } from "./measured.ts";
import { noEffectText } from "./no-effect-text.ts";
import { RowMenu } from "./row-menu.tsx";
import type { SliderRow } from "./slider-rows.ts";
import { END, positionOf, roundWeight, weightAfterKey, weightAt } from "./slider-scale.ts";
import { tunerState } from "./tuner-state.ts";

interface Props {
  store: Store;
  row: SliderRow;
  disabled: boolean; // all sliders: the text is broken, or there is nothing to compute with
}

/** One clause: its name, slider, number and menu. The number follows the slider within the input handler. */
export function WeightRow({ store, row, disabled }: Props) {
  const state = tunerState(store);
  const range = useRef<HTMLInputElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const id = useUniqueId("weight");
  const { clause, classIndex } = row;
  const ghost = clause === null;
  const everyRow = ghost && classIndex === null;
  const locked = everyRow || state.locked.value.has(row.expression);
  const weight = (): number => (clause === null ? 1 : (store.weights.peek()[clause] ?? 0));
  const most = (): number => state.mostOf(row.expression, weight());

  const move = (value: number): void => {
    measured(() => {
      if (clause !== null) store.actions.setWeight(clause, value);
      else if (classIndex !== null) void state.moveGhost(classIndex, value);
    });
  };
  useLayoutEffect(
    () =>
      effect(() => {
        const value = clause === null ? 1 : (store.weights.value[clause] ?? 0);
        if (ghost && store.dragging.peek()) return;
        show(range.current, field.current, value, state.mostOf(row.expression, value));
      }),
    [store, state, clause, ghost, row.expression],
  );
  const onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const next = weightAfterKey(weight(), event.key, most());
    const inField = event.currentTarget === field.current;
    if (next === null || (inField && !VERTICAL.has(event.key))) return;
    event.preventDefault();
    event.stopPropagation();
    move(next);
  };
  const off = disabled || locked || !row.literal;
  return (
    <div
      class={`penstock-weight${ghost && !everyRow ? " penstock-ghost" : ""}`}
      data-testid="weight"
      data-label={row.label}
      data-class-index={classIndex ?? ""}
      data-ghost={ghost}
      data-locked={locked}
    >
      <span class="penstock-dot" style={{ background: classColor(classIndex) }} />
      <label for={id} title={row.expression || `contains ${row.label}`}>
        {row.label}
      </label>
      <input
        {...focusable}
        ref={range}
        id={id}
        type="range"
        min={0}
        max={END}
        step={1}
        disabled={off}
        data-testid="weight-slider"
        data-class={row.label}
        onInput={(event) => {
          move(weightAt(event.currentTarget.valueAsNumber, most()));
          store.dragging.value = true;
        }}
        onChange={() => release(store)}
        onPointerUp={() => release(store)}
        onLostPointerCapture={() => release(store)}
        onBlur={() => release(store)}
        onKeyDown={onKey}
      />
      <input
        {...focusable}
        ref={field}
        type="number"
        min={0}
        step="any"
        class="penstock-weight-number"
        aria-label={`weight of ${row.label}`}
        disabled={off}
        data-testid="weight-number"
        onInput={(event) => {
          const typed = event.currentTarget.valueAsNumber;
          if (Number.isFinite(typed) && typed >= 0) move(roundWeight(typed));
        }}
        onBlur={() => show(range.current, field.current, weight(), most())}
        onKeyDown={onKey}
      />
      <RowMenu store={store} row={row} locked={locked} disabled={disabled} />
      <RowNote store={store} row={row} />
    </div>
  );
}

const VERTICAL: ReadonlySet<string> = new Set(["ArrowUp", "ArrowDown", "PageUp", "PageDown"]);

function release(store: Store): void {
  if (store.dragging.peek()) store.dragging.value = false;
}

function show(range: HTMLInputElement | null, field: HTMLInputElement | null, weight: number, most: number): void {
  const text = formatWeight(weight);
  if (
    range !== null &&
    (range.getAttribute("data-weight") !== text || range.valueAsNumber !== positionOf(weight, most))
  ) {
    range.value = String(positionOf(weight, most));
    range.setAttribute("data-weight", text);
    range.setAttribute("aria-valuetext", `weight ${text}`);
  }
  if (field !== null && (focused(field) !== field || field.valueAsNumber !== weight)) field.value = text;
}

function RowNote({ store, row }: { store: Store; row: SliderRow }) {
  const reason = row.clause === null ? null : chartsOf(store).noEffect.value[row.clause];
  const text = row.literal
    ? noEffectText(reason, store.query.value?.clauses ?? [], row.clause ?? 0)
    : "the weight is an expression; edit the query text";
  return text === null ? null : (
    <p class="penstock-weight-note" data-testid="no-effect">
      {text}
    </p>
  );
}
