import { computed, useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { Mode } from "../session/protocol.ts";
import type { Store } from "../session/store.ts";
import { focusable } from "../ui/focus.ts";
import { countText } from "../ui/number-text.ts";
import { Switch } from "../ui/switch.tsx";
import { Presets } from "./presets.tsx";
import { type SliderRow, sliderRows } from "./slider-rows.ts";
import { stepWeights } from "./step-weights.ts";
import { tunerState } from "./tuner-state.ts";
import { WeightRow } from "./weight-row.tsx";

const MODES: readonly { value: Mode; label: string; title: string }[] = [
  { value: "iid", label: "iid", title: "iid: every draw independent, as WeightedRandomSampler" },
  { value: "deck", label: "deck", title: "deck: every group is dealt out before any sample repeats" },
  { value: "once", label: "once", title: "once: without replacement" },
];

const WITH_REPEATS = MODES.map((mode) =>
  mode.value === "iid"
    ? mode
    : { ...mode, disabled: true, title: "not available: rows of this pool repeat, which only iid can draw from" },
);

/** A slider per clause of SAMPLE BY. */
export function WeightsPanel({ store }: { store: Store }) {
  const rows = useStableRows(store);
  if (store.isTable.value) return null;
  const fault = faultOf(store);
  const readOnly = store.statistics.value === null;
  return (
    <section
      class="penstock-section penstock-weights"
      data-testid="weights"
      aria-label="Weights"
      data-penstock-undo="weights"
      onKeyDown={(event) => stepWeights(store, event)}
    >
      <div class="penstock-row penstock-heading">
        <h3>Weights</h3>
        <span class="penstock-grow" />
        <Switch
          label="how samples are drawn"
          testid="mode"
          options={store.statistics.value?.folded == null ? MODES : WITH_REPEATS}
          value={store.mode.value}
          disabled={readOnly}
          onChange={(mode) => void store.actions.setMode(mode)}
        />
      </div>
      <SliderList store={store} rows={rows} disabled={readOnly || fault !== null} />
      {fault !== null && (
        <p class="penstock-note penstock-fault" role="status" data-testid="slider-fault">
          {`Sliders are disabled: ${fault}`}
        </p>
      )}
      <Undone store={store} />
      <Presets store={store} disabled={readOnly || fault !== null} />
    </section>
  );
}

const MOST_ROWS = 40;

/** The sliders; of many those that a search finds. */
function SliderList({ store, rows, disabled }: { store: Store; rows: readonly SliderRow[]; disabled: boolean }) {
  const search = useSignal("");
  const many = rows.length > MOST_ROWS;
  const needle = many ? search.value.trim().toLowerCase() : "";
  const found = rows.filter((row) => row.label.toLowerCase().includes(needle));
  if (rows.length === 0) {
    return (
      <p class="penstock-note" data-testid="no-sliders">
        This query takes its weights from a tensor or an array, so it has no sliders.
      </p>
    );
  }
  return (
    <>
      {many && (
        <input
          {...focusable}
          type="search"
          class="penstock-field penstock-weight-search"
          placeholder={`find among ${countText(rows.length)} weights`}
          aria-label="find a weight"
          data-testid="weight-search"
          value={search.value}
          onInput={(event) => {
            search.value = event.currentTarget.value;
          }}
        />
      )}
      <div class="penstock-weight-list">
        {found.slice(0, MOST_ROWS).map((row) => (
          <WeightRow key={row.key} store={store} row={row} disabled={disabled} />
        ))}
      </div>
      {found.length > MOST_ROWS && (
        <p class="penstock-note">{`${countText(found.length - MOST_ROWS)} more: type to find them`}</p>
      )}
    </>
  );
}

/** Rows are made anew only when the clauses are others, not when a number moves. */
function useStableRows(store: Store) {
  const key = useMemo(
    () =>
      computed(() =>
        JSON.stringify([
          store.clauses.value.map(({ expression, label, class_index, from }) => [
            expression,
            label,
            class_index,
            from === null,
          ]),
          store.query.value?.rare_classes.map((index) => [index, store.classNames.value[index]]),
          store.query.value?.has_sampling,
          store.classNames.value.length,
        ]),
      ),
    [store],
  );
  return useMemo(() => sliderRows(store), [store, key.value]);
}

function faultOf(store: Store): string | null {
  if (store.statistics.value === null)
    return store.query.value === null && store.link.value === "connecting"
      ? null
      : "no data is loaded; run the cell again";
  return store.textFault.value;
}

function Undone({ store }: { store: Store }) {
  const undone = tunerState(store).undone.value;
  if (undone === null) return null;
  return (
    <p class="penstock-undone" role="status" data-testid="weights-undone">
      {undone.text}
      {undone.redo && (
        <button {...focusable} type="button" class="penstock-link" onClick={() => stepWeights(store, "redo")}>
          Redo
        </button>
      )}
    </p>
  );
}
