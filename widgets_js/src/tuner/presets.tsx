import { type Signal, useSignal } from "@preact/signals";
import type { Store } from "../session/store.ts";
import { chartsOf } from "../statistics/charts.ts";
import { focusable } from "../ui/focus.ts";
import { lazy } from "../ui/lazy.tsx";
import { AddClass } from "./add-class.tsx";
import { PRESETS, type PresetInfo, presetWeights } from "./preset-weights.ts";
import { tunerState } from "./tuner-state.ts";

const TargetShares = lazy(() => import("./target-shares.tsx").then((part) => part.TargetShares));

interface Chosen {
  readonly preset: PresetInfo;
  readonly parameter: number | undefined;
  readonly reference: string;
  readonly weights: string; // as the preset left them: another weight, and it is no longer chosen
}

/** Named ways to weigh, and shares to be solved for. */
export function Presets({ store, disabled }: { store: Store; disabled: boolean }) {
  const chosen = useSignal<Chosen | null>(null);
  const solving = useSignal(false);
  const now = store.weights.value.join();
  const current = chosen.value !== null && chosen.value.weights === now ? chosen.value : null;
  const live = store.isLive.value;
  const idle = disabled || (!live && store.clauses.value.length === 0);
  return (
    <>
      <div class="penstock-pills">
        <AddClass store={store} />
        {PRESETS.map((preset) => (
          <button
            {...focusable}
            key={preset.name}
            type="button"
            class="penstock-pill"
            title={preset.about}
            disabled={idle}
            aria-pressed={current?.preset === preset}
            data-testid={`preset-${preset.name}`}
            onClick={() => void apply(store, chosen, preset, preset.parameter?.usual)}
          >
            {preset.label}
          </button>
        ))}
        <button
          {...focusable}
          type="button"
          class="penstock-pill"
          disabled={disabled || !live}
          title={live ? "set the share that each class should have" : "needs a running kernel"}
          aria-expanded={solving.value}
          data-testid="target-shares"
          onClick={() => {
            solving.value = !solving.value;
          }}
        >
          target shares…
        </button>
      </div>
      {current !== null && <ChosenNote store={store} chosen={chosen} current={current} />}
      {solving.value && live && <TargetShares store={store} />}
    </>
  );
}

function ChosenNote({ store, chosen, current }: { store: Store; chosen: Signal<Chosen | null>; current: Chosen }) {
  const { parameter } = current.preset;
  return (
    <p class="penstock-note penstock-preset-note" data-testid="preset-note">
      {parameter !== undefined && (
        <label>
          {`${parameter.symbol} `}
          <input
            {...focusable}
            type="number"
            class="penstock-weight-number"
            min={0}
            max={parameter.most}
            step="any"
            value={current.parameter}
            onChange={(event) => {
              const typed = event.currentTarget.valueAsNumber;
              if (typed > 0 && typed <= parameter.most) void apply(store, chosen, current.preset, typed);
            }}
          />
        </label>
      )}
      <span>{current.reference}</span>
    </p>
  );
}

async function apply(
  store: Store,
  chosen: Signal<Chosen | null>,
  preset: PresetInfo,
  parameter: number | undefined,
): Promise<void> {
  const before = store.clauses.value;
  let reference: string | null = preset.about;
  if (store.isLive.value) {
    reference = await store.actions.preset(preset.name, parameter);
    if (reference === null) return;
  } else {
    const counts = chartsOf(store).histogram.value?.raw ?? [];
    const rows = store.query.value?.pool_size ?? 0;
    store.actions.setWeights(presetWeights(preset.name, parameter, before, counts, rows));
  }
  tunerState(store).keepLocked(before);
  chosen.value = { preset, parameter, reference, weights: store.weights.value.join() };
}
