import { effect, type ReadonlySignal, useComputed } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { ClassMenu } from "../classes/class-menu.tsx";
import type { Session } from "../session/session.ts";
import type { Store } from "../session/store.ts";
import { formatWeight } from "../session/text-binding.ts";
import { chartsOf } from "../statistics/charts.ts";
import { classColor, classDash } from "../ui/colors.ts";
import { focusable } from "../ui/focus.ts";
import type { AxisScale } from "./axis-scale.ts";
import type { BarSource } from "./bar-source.ts";
import type { Columns } from "./columns.ts";
import { type BarElements, drawBar, drawTicks, markDrawn } from "./draw-bars.ts";
import { canFilter, filterBy, isFiltered } from "./filter-class.ts";
import { measured } from "./measured.ts";
import { noEffectText } from "./no-effect-text.ts";
import { LockMark, RowMenu, WeightItems } from "./row-menu.tsx";
import { figuresText } from "./row-text.ts";
import type { SliderRow } from "./slider-rows.ts";
import { END, positionOf, roundWeight, weightAfterKey, weightAt } from "./slider-scale.ts";
import type { TableModel } from "./table-model.ts";

export interface RowProps {
  session: Session;
  model: TableModel;
  row: SliderRow;
  index: number; // among all rows, from 0
  first: boolean; // of its group
  current: boolean; // the row in the tab order
  disabled: boolean; // all sliders: the text is broken, or there is nothing to compute with
  columns: Columns;
  axis: ReadonlySignal<AxisScale>;
  rested: ReadonlySignal<BarSource | null>;
  drawn: ReadonlySignal<readonly number[] | null>; // the first epoch of the loader's own stream, by class
  pattern: string;
}

/** One class or condition: what it is, its weight, and what the weight does. Figures follow the slider within its handler. */
export function ClassRow(props: RowProps) {
  const { session, model, row, columns, index, first, disabled } = props;
  const { store } = session;
  const tab = props.current ? 0 : -1;
  const { classIndex } = row;
  const hidden = classIndex !== null && store.hiddenClasses.value.has(classIndex);
  const filtered = classIndex !== null && isFiltered(store, classIndex);
  const root = useRef<HTMLDivElement>(null);
  const locked = row.expression !== "" && model.state.locked.value.has(row.expression);
  return (
    <div
      ref={root}
      role="row"
      aria-rowindex={index + 2}
      class={`penstock-table-row${first ? " penstock-cut" : ""}${filtered ? " penstock-filtered" : ""}${hidden ? " penstock-off" : ""}`}
      style={{ top: `${index * columns.height}px` }}
      data-testid="penstock-class-row"
      data-key={row.key}
      data-kind={row.kind}
      data-class={row.label}
      data-class-index={classIndex ?? ""}
      data-locked={locked}
    >
      <Mark classIndex={classIndex} />
      <NameCell {...props} tab={tab} locked={locked} hidden={hidden} filtered={filtered} />
      <Weight {...props} tab={tab} locked={locked} disabled={disabled || locked} />
      <Bars {...props} />
    </div>
  );
}

/** The box of the class, as the grid draws it. */
function Mark({ classIndex }: { classIndex: number | null }) {
  const color = classColor(classIndex);
  return (
    <svg class="penstock-class-mark" width="16" height="12" viewBox="0 0 16 12" aria-hidden="true">
      {classIndex === null ? (
        <rect x="2" y="2" width="12" height="8" fill="none" stroke={color} />
      ) : (
        <rect
          x="1.25"
          y="1.25"
          width="13.5"
          height="9.5"
          fill={color}
          fill-opacity=".28"
          stroke={color}
          stroke-width="2"
          stroke-dasharray={MARK_DASHES[classDash(classIndex)]}
        />
      )}
    </svg>
  );
}

const MARK_DASHES = { none: "none", "6 3": "5 2.5", "1.5 2.5": "1.5 2" } as const;

interface NameProps extends RowProps {
  tab: number;
  locked: boolean;
  hidden: boolean;
  filtered: boolean;
}

function NameCell(props: NameProps) {
  const { session, row, tab, locked } = props;
  const note = useComputed(() => noteOf(props)).value;
  return (
    <div role="rowheader" class={`penstock-name-cell${note === null ? "" : " penstock-noted"}`}>
      {row.classIndex === null ? <ConditionName row={row} tab={tab} /> : <ClassName {...props} />}
      <Eye {...props} />
      {locked ? <LockMark /> : null}
      <More session={session} row={row} tab={tab} />
      {note === null ? null : (
        <span id={noteId(row)} class="penstock-row-note" title={note.long} data-testid="no-effect">
          {note.short}
        </span>
      )}
    </div>
  );
}

function ConditionName({ row, tab }: { row: SliderRow; tab: number }) {
  const source = row.expression !== "" && row.label === row.expression;
  return (
    <span
      {...focusable}
      tabIndex={tab}
      data-cell="name"
      class={`penstock-row-name${source ? " penstock-mono" : ""}`}
      title={row.label}
    >
      {row.label}
    </span>
  );
}

function ClassName({ session, row, tab, filtered }: NameProps) {
  const { store } = session;
  const live = canFilter(store);
  const filter = (event: MouseEvent | KeyboardEvent): void => void filterByRow(store, row, event);
  return (
    <button
      {...focusable}
      type="button"
      tabIndex={tab}
      data-cell="name"
      data-testid="penstock-class-filter"
      class="penstock-row-name"
      aria-pressed={filtered}
      aria-disabled={live ? undefined : true}
      title={live ? `${row.label}: click to filter the samples, Shift+click to add it to the filter` : row.label}
      onClick={filter}
      onKeyDown={(event) => {
        if (event.key !== "Enter") return;
        event.preventDefault(); // a notebook may take Enter for itself
        event.stopPropagation();
        filter(event);
      }}
    >
      {row.label}
    </button>
  );
}

function filterByRow(store: Store, { classIndex }: SliderRow, event: MouseEvent | KeyboardEvent): void {
  if (classIndex !== null) void filterBy(store, classIndex, event.shiftKey || event.ctrlKey || event.metaKey);
}

function More({ session, row, tab }: { session: Session; row: SliderRow; tab: number }) {
  const { classIndex } = row;
  if (classIndex === null) return row.clause === null ? null : <RowMenu session={session} row={row} tabIndex={tab} />;
  return (
    <ClassMenu
      session={session}
      index={classIndex}
      instances={session.store.dataset.value?.class_counts[classIndex] ?? 0}
      tabIndex={tab}
      extra={row.clause === null ? undefined : (close) => <WeightItems session={session} row={row} close={close} />}
    />
  );
}

function noteId(row: SliderRow): string {
  return `penstock-note-${row.key.replace(/\W+/g, "-")}`;
}

function noteOf({ session, row }: RowProps): { short: string; long: string } | null {
  const { store } = session;
  if (row.clause === null) return null;
  if (!row.literal) return { short: "set by an expression", long: "the weight is an expression; edit the query text" };
  return noEffectText(chartsOf(store).noEffect.value[row.clause], store.query.value?.clauses ?? [], row.clause);
}

function Eye({ session, row, tab, hidden }: NameProps) {
  const { store } = session;
  const { classIndex } = row;
  if (store.dataset.value?.box_tensor == null || classIndex === null) return null;
  return (
    <button
      {...focusable}
      type="button"
      tabIndex={tab}
      data-cell="eye"
      data-testid="penstock-eye"
      class="penstock-row-tool"
      aria-pressed={hidden}
      aria-label={`hide boxes of ${row.label}`}
      title={`${hidden ? "show" : "hide"} the boxes of ${row.label}`}
      onClick={() => store.actions.toggleClass(classIndex)}
    >
      <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
        <path d="M1.5 8S4 3.8 8 3.8 14.5 8 14.5 8 12 12.2 8 12.2 1.5 8 1.5 8z" />
        <circle cx="8" cy="8" r="1.8" />
        {hidden ? <path d="M3 13.5l10-11" /> : null}
      </svg>
    </button>
  );
}

interface WeightProps extends RowProps {
  tab: number;
  locked: boolean;
}

const DOUBLE_CLICK_MS = 300; // a row that moves between two clicks would lose the second

/** Slider and number. A class without a clause has both too: their first move writes the clause. */
function Weight({ session, model, row, disabled, tab, locked }: WeightProps) {
  const { store } = session;
  const { state } = model;
  const { clause, classIndex } = row;
  const slider = useRef<HTMLInputElement>(null);
  const field = useRef<HTMLInputElement>(null);
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
    if (!store.dragging.peek()) return;
    store.dragging.value = false;
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
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const inField = event.currentTarget === field.current;
    const next = inField && !PAGES.has(event.key) ? null : weightAfterKey(standing(), event.key, state.most.peek());
    if (next !== null) move(next);
    else if (!inField && (event.key === "Backspace" || event.key === "Delete")) reset();
    else if (inField && event.key === "Enter") model.release();
    else return;
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
          aria-describedby={noteId(row)}
          data-cell="slider"
          data-testid="weight-slider"
          data-class={row.label}
          onPointerDown={() => model.hold(row)}
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

const PAGES: ReadonlySet<string> = new Set(["PageUp", "PageDown"]);

function whyOff({ store }: Session, row: SliderRow, locked: boolean): string | undefined {
  if (locked) return "locked: unlock it in its menu";
  if (store.textFault.value !== null) return store.textFault.value;
  if (!row.literal) return row.clause === null ? "the weights come from a tensor or an array" : "edit the query text";
  if (row.classIndex === null) return "weights compare samples: weigh a class";
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
  { most, ghost }: { most: number; ghost: boolean },
): void {
  const text = formatWeight(weight);
  const position = positionOf(weight, most);
  if (slider !== null) {
    const told = `${text} of ${most}${ghost ? " unset" : ""}`;
    if (slider.dataset.told !== told || slider.valueAsNumber !== position) {
      slider.value = String(position);
      slider.dataset.told = told;
      slider.dataset.weight = text;
      slider.setAttribute("aria-valuetext", ghost ? `${text}, not set` : `weight ${text}`);
      slider.style.setProperty("--penstock-from", `${Math.min(500, position) / 10}%`);
      slider.style.setProperty("--penstock-to", `${ghost ? 50 : Math.max(500, position) / 10}%`);
      const row = slider.closest<HTMLElement>("[data-key]");
      if (row !== null) row.dataset.ghost = String(ghost);
    }
  }
  if (field !== null && (field.getRootNode() as Document).activeElement !== field) field.value = text;
  else if (field !== null && typedWeight(field.value) !== weight) field.value = text;
}

function Bars({ model, row, columns, axis, rested, drawn, pattern }: RowProps) {
  const bars = useRef<HTMLDivElement>(null);
  const text = useRef<HTMLDivElement>(null);
  const size = columns.stacked ? 20 : 28;
  const { middle } = columns;
  useLayoutEffect(() => {
    const elements = elementsOf(bars.current, text.current);
    if (elements === null) return undefined;
    const stops = [
      effect(() => {
        const figures = model.bars.value;
        if (figures !== null) drawBar(elements, figures.histogram, { bar: row.bar, scale: axis.value, middle });
      }),
      effect(() => drawTicks(elements, axis.value, size)),
      effect(() =>
        markDrawn(elements, row.classIndex === null ? undefined : drawn.value?.[row.classIndex], axis.value),
      ),
      effect(() => {
        const figures = rested.value;
        if (figures !== null) elements.cell.setAttribute("aria-label", figuresText(row, figures, drawn.value));
      }),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }, [model, row, axis, middle, size, rested, drawn]);
  const explain = (event: PointerEvent): void => {
    const figures = model.bars.peek();
    if (figures !== null) (event.currentTarget as HTMLElement).title = figuresText(row, figures, drawn.peek());
  };
  const { classIndex } = row;
  return (
    <>
      <div
        ref={bars}
        role="cell"
        class={`penstock-bars-cell${classIndex === null ? "" : " penstock-can-filter"}`}
        data-testid="bar"
        data-class={row.label}
        data-class-index={classIndex ?? ""}
        onPointerEnter={explain}
        onClick={(event) => filterByRow(model.store, row, event)}
      >
        <svg width={columns.bars} height={size} aria-hidden="true">
          <path class="penstock-ticks" />
          <rect class="penstock-bar-raw" y={middle - 12} height="5" fill={`url(#${pattern})`} />
          <rect class="penstock-bar-sampled" y={middle - 4} height="8" fill={classColor(classIndex)} />
          <path class="penstock-whisker-halo" />
          <path class="penstock-whisker" />
          <circle class="penstock-drawn" cy={middle} r={2.5} visibility="hidden" />
        </svg>
      </div>
      <div ref={text} role="cell" class="penstock-text-cell" onPointerEnter={explain}>
        <span />
        <span>→</span>
        <b />
      </div>
    </>
  );
}

function elementsOf(cell: HTMLElement | null, text: HTMLElement | null): BarElements | null {
  const marks = [...(cell?.querySelector("svg")?.children ?? [])];
  const [ticks, raw, sampled, halo, whisker, drawn] = marks as unknown as [
    SVGPathElement,
    SVGRectElement,
    SVGRectElement,
    SVGPathElement,
    SVGPathElement,
    SVGCircleElement,
  ];
  const [rawText, , sampledText] = [...(text?.children ?? [])] as unknown as HTMLElement[];
  if (cell === null || drawn === undefined || rawText === undefined || sampledText === undefined) return null;
  return { cell, ticks, raw, sampled, halo, whisker, drawn, rawText, sampledText };
}
