import { computed, type ReadonlySignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import type { Store } from "../session/store.ts";
import { chartsOf } from "../statistics/charts.ts";
import { useEachFrame } from "../ui/each-frame.ts";
import { focusable } from "../ui/focus.ts";
import { countText, shareText, shortCountText, timesText } from "../ui/number-text.ts";
import { Readable } from "../ui/readable.tsx";
import { clauseLabel } from "./slider-rows.ts";
import type { TableModel } from "./table-model.ts";
import { type Drag, type Moved, movedByDrag, movedUnasked, type Unasked } from "./unasked.ts";

/** Two lines that keep their place: what weights do to classes nobody asked about, or what to do next. */
export function Sentence({ model }: { model: TableModel }) {
  const [changes, compute] = useMemo(() => [changesOf(model), () => sentenceOf(model)] as const, [model]);
  const text = useEachFrame(changes, compute);
  return (
    <Readable class="penstock-say" testid="penstock-sentence">
      {text.value}
    </Readable>
  );
}

/** Another object whenever the sentence may be another: it is made once a frame, not in the handler of a slider. */
function changesOf({ store, before }: TableModel): ReadonlySignal<object> {
  return computed(() => ({
    weights: store.weights.value,
    query: store.query.value,
    statistics: store.statistics.value,
    snapshot: store.snapshot.value,
    fault: store.textFault.value,
    clauses: store.clauses.value.length,
    link: store.link.value,
    mode: store.mode.value,
    unit: store.unit.value,
    names: store.classNames.value,
    before: before.value,
  }));
}

function sentenceOf(model: TableModel): ComponentChildren {
  const { store } = model;
  return stateSentence(store) ?? weightSentence(model);
}

/** Where sliders cannot move, why; null where they can. */
function stateSentence(store: Store): ComponentChildren | null {
  const query = store.query.value;
  if (store.statistics.value === null) {
    if (query === null && store.link.value === "connecting") return "";
    return query === null && store.snapshot.value !== null
      ? "As saved in the notebook. Run the cell to move sliders."
      : "No data is loaded; run the cell again.";
  }
  if (store.textFault.value !== null) {
    return (
      <span data-testid="slider-fault">
        {`Sliders wait for the query: ${firstSentence(store.textFault.value)}. Bars and coverage show the last query that ran.`}
      </span>
    );
  }
  if (query?.pool_size === 0) return "No sample matches the query, so there is nothing to weigh.";
  if (query?.has_sampling && store.clauses.value.length === 0) {
    return (
      <span data-testid="no-sliders">
        This query takes its weights from a tensor or an array, so it has no sliders.{binNote(store)}
      </span>
    );
  }
  return null;
}

/** The status line of the query says the rest. */
function firstSentence(text: string): string {
  return text.split(/[.;]\s/)[0]?.replace(/\.$/, "") ?? text;
}

/** A weight for each row comes in bins: how far off that is. */
function binNote(store: Store): ComponentChildren {
  const header = store.statistics.value?.header;
  if (header?.level !== "bins" || !(header.bin_error > 0)) return null;
  return (
    <span data-testid="bins">
      {` Row weights are grouped into ${countText(header.num_strata)} bins; numbers are within ${shareText(header.bin_error)}.`}
    </span>
  );
}

function weightSentence(model: TableModel): ComponentChildren {
  const { store } = model;
  const charts = chartsOf(store);
  const plan = charts.plan.value;
  if (plan === null) return "";
  if (charts.nothingDrawn.value) {
    return (
      <span class="penstock-nothing" data-testid="nothing-drawn">
        Nothing can be drawn: every weight is 0.
      </span>
    );
  }
  if (store.query.value?.has_sampling === false) return <Hint />;
  if (plan.mode === "once" && plan.draws === plan.drawable)
    return "Every sample that can be drawn is drawn once. Weights change nothing unless limit asks for fewer.";
  const drag = dragOf(model);
  if (drag !== null) return <DragSentence model={model} drag={drag} />;
  const request = charts.liftRequest.value;
  const lift = charts.lift.value;
  if (request === null || lift === null || request.named.size === 0) return "";
  return <UnaskedSentence model={model} moved={movedUnasked(request, lift, store.unit.value)} />;
}

function Hint() {
  return (
    <span data-testid="penstock-weigh-hint">
      <b>Weigh</b>: drag a slider, or start from <b>Balance</b>. <b>Export</b> then writes the cell with a loader that
      draws what these bars show.
    </span>
  );
}

/** What the last gesture did to weights of a preset; null once they come from elsewhere. */
function dragOf({ store, before, bars, state }: TableModel): Drag | null {
  const figures = chartsOf(store).histogram.value;
  const then = before.value;
  if (then === null || figures === null || chartsOf(store).byClause.value) return null;
  if (then.presets !== state.presets || then.rows !== bars.value?.rows || !state.hasPreset()) return null;
  return movedByDrag(figures, then.expected, then.classIndex);
}

function DragSentence({ model, drag }: { model: TableModel; drag: Drag }) {
  const { store, before } = model;
  const own = before.value?.classIndex ?? null;
  const name = own === null ? "everything else" : (store.classNames.value[own] ?? "");
  const { most, others } = drag;
  return (
    <span data-testid="lift">
      {drag.own === null ? `This drag: ${name}. ` : `This drag: ${name} ${ownChange(drag.own)}. `}
      {most === null ? (
        `Others ${timesText2(others)}.`
      ) : (
        <>
          <b>{store.classNames.value[most.classIndex]}</b>
          {` ${moveText(most)}: others ${timesText2(others)}; carried by ${name}.`}
        </>
      )}
    </span>
  );
}

function UnaskedSentence({ model, moved }: { model: TableModel; moved: Unasked }) {
  const { told, more, others } = moved;
  return (
    <span data-testid="lift" data-dilution={others}>
      {told.length === 0
        ? `No class moves without a weight of its own${othersText(others, ": everything else ")}.`
        : null}
      {told.map((one, i) => (
        <Told key={one.classIndex} store={model.store} moved={one} others={i === 0 ? others : Number.NaN} />
      ))}
      {more > 0 ? (
        <button
          {...focusable}
          type="button"
          class="penstock-link"
          title="show the classes that moved most first"
          onClick={() => {
            model.sort.value = "moved";
          }}
        >
          {`${countText(more)} more`}
        </button>
      ) : null}
    </span>
  );
}

function Told({ store, moved, others }: { store: Store; moved: Moved; others: number }) {
  const clause = moved.by === null ? undefined : store.query.value?.clauses[moved.by];
  const by = clause === undefined ? "" : `; carried by ${clauseLabel(clause)}`;
  return (
    <>
      <b>{store.classNames.value[moved.classIndex]}</b>
      {` ${moveText(moved)}${othersText(others, ": others ")}${by}. `}
    </>
  );
}

function othersText(others: number, before: string): string {
  if (Number.isNaN(others)) return "";
  return others > 0 ? `${before}${timesText2(others)}` : `${before}never drawn`;
}

interface Figures {
  from: number;
  to: number;
}

/** "rises 131 → 177 (×1.35)", or "stays at 373" where the factor would be ×1.00. */
export function moveText(figures: Figures): string {
  const { from, to } = figures;
  if (stays(figures)) return `stays at ${shortCountText(to)}`;
  return `${to > from ? "rises" : "falls"} ${change(figures)}`;
}

function ownChange(figures: Figures): string {
  return stays(figures) ? `stays at ${shortCountText(figures.to)}` : change(figures);
}

function stays({ from, to }: Figures): boolean {
  return to <= from * 1.005 && to >= from * 0.995;
}

function change({ from, to }: Figures): string {
  return `${shortCountText(from)} → ${shortCountText(to)} (${timesText2(to / from)})`;
}

/** ×0.78, ×1.01, ×4.58, ×12.4, ×140: factors near 1 need their second decimal. */
function timesText2(ratio: number): string {
  if (!(ratio < 10)) return timesText(ratio);
  return ratio > 0 && ratio < 0.005 ? "×<0.01" : `×${ratio.toFixed(2)}`;
}
