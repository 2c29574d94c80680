import { type Signal, useSignal } from "@preact/signals";
import type { Ops, Unit } from "../session/protocol.ts";
import { RpcFailure } from "../session/rpc.ts";
import type { Session } from "../session/session.ts";
import type { Store } from "../session/store.ts";
import { formatWeight } from "../session/text-binding.ts";
import { chartsOf } from "../statistics/charts.ts";
import { focusable } from "../ui/focus.ts";
import { countText, pluralText, shareText, timesText } from "../ui/number-text.ts";
import { keptWeights } from "./apply-preset.ts";
import { tunerState } from "./tuner-state.ts";

interface Target {
  readonly classIndex: number;
  readonly percent: number;
}

type Outcome = { readonly solved: Ops["targets.solve"][1] } | { readonly reason: string };

const OFFERED = 3;
const MEANING: Readonly<Record<Unit, string>> = {
  instances: "share of the labels drawn",
  samples: "share of the samples drawn; may sum to more than 100%",
};

/** Shares to reach, solved in the kernel for weights; when they cannot be met, why. */
export function TargetShares({ session }: { session: Session }) {
  const { store } = session;
  const targets = useSignal<readonly Target[]>(firstTargets(store));
  const outcome = useSignal<Outcome | null>(null);
  const busy = useSignal(false);
  const names = store.classNames.value;
  const taken = new Set(targets.value.map(({ classIndex }) => classIndex));
  const free = [...names.keys()].find((c) => !taken.has(c));
  const set = (at: number, change: Partial<Target>): void => {
    targets.value = targets.value.map((target, i) => (i === at ? { ...target, ...change } : target));
  };
  const run = (): void => {
    if (!busy.value && targets.value.length > 0) void solve(store, targets.value, outcome, busy);
  };
  return (
    <div class="penstock-targets" data-testid="targets">
      {targets.value.map(({ classIndex, percent }, i) => (
        <div key={classIndex} class="penstock-row">
          <select
            {...focusable}
            class="penstock-field penstock-target-class"
            aria-label="class"
            value={classIndex}
            onChange={(event) => set(i, { classIndex: Number(event.currentTarget.value) })}
          >
            {names.map((name, c) =>
              c === classIndex || !taken.has(c) ? (
                <option key={name} value={c}>
                  {name}
                </option>
              ) : null,
            )}
          </select>
          <input
            {...focusable}
            type="number"
            class="penstock-weight-number"
            min={0}
            max={100}
            step="any"
            value={percent}
            aria-label={`percent of ${names[classIndex]}`}
            data-testid="target-percent"
            onKeyDown={(event) => {
              if (event.key === "Enter") run();
            }}
            onInput={(event) => set(i, { percent: event.currentTarget.valueAsNumber })}
          />
          <span>%</span>
          <span class="penstock-grow" />
          <button
            {...focusable}
            type="button"
            class="penstock-more"
            aria-label={`no target for ${names[classIndex]}`}
            onClick={() => {
              targets.value = targets.value.filter((_, at) => at !== i);
            }}
          >
            ✕
          </button>
        </div>
      ))}
      <div class="penstock-row">
        <button
          {...focusable}
          type="button"
          class="penstock-pill penstock-add"
          disabled={free === undefined}
          onClick={() => {
            if (free !== undefined) targets.value = [...targets.value, { classIndex: free, percent: 10 }];
          }}
        >
          + target
        </button>
        <span class="penstock-grow" />
        <button
          {...focusable}
          type="button"
          class="penstock-button"
          disabled={busy.value || targets.value.length === 0}
          data-testid="solve"
          onClick={run}
        >
          {busy.value ? "Solving…" : "Solve"}
        </button>
      </div>
      <p class="penstock-note">{MEANING[store.unit.value]}</p>
      {outcome.value !== null && <Told store={store} outcome={outcome.value} />}
    </div>
  );
}

function Told({ store, outcome }: { store: Store; outcome: Outcome }) {
  if ("reason" in outcome) {
    return (
      <p class="penstock-nothing" role="alert" data-testid="targets-reason">
        {outcome.reason}
      </p>
    );
  }
  const { max_repeats, effective_sample_size, moved } = outcome.solved;
  const names = store.classNames.value;
  const told = moved
    .slice(0, OFFERED)
    .map(({ class_index, from, to }) => `${names[class_index]} ${shareText(from)} → ${shareText(to)}`);
  return (
    <p class="penstock-note" role="status" data-testid="targets-solved">
      {`A sample is drawn at most ${timesText(max_repeats).replace("×", "")} times per epoch; effective sample size ${countText(effective_sample_size)}.`}
      {told.length > 0 && ` Also changed: ${told.join(", ")}.`}
    </p>
  );
}

async function solve(
  store: Store,
  targets: readonly Target[],
  outcome: Signal<Outcome | null>,
  busy: Signal<boolean>,
): Promise<void> {
  const bad = targets.find(({ percent }) => !(percent >= 0 && percent <= 100));
  if (bad !== undefined) {
    outcome.value = { reason: `the share of ${store.classNames.value[bad.classIndex]} must be a number from 0 to 100` };
    return;
  }
  const before = store.clauses.value;
  busy.value = true;
  try {
    const { result } = await store.rpc.call(
      "targets.solve",
      {
        text: store.text.value,
        targets: targets.map(({ classIndex, percent }) => ({ class_index: classIndex, share: percent / 100 })),
        unit: store.unit.value,
      },
      { lane: "solve" },
    );
    if (!(await store.actions.runWeights(result.text, "target shares", keptWeights(store)))) return;
    tunerState(store).keepLocked(before);
    outcome.value = { solved: result };
    store.actions.tellWeights(solvedText(store), true);
  } catch (failure) {
    const hint = failure instanceof RpcFailure && failure.error.hint ? `. ${failure.error.hint}` : "";
    outcome.value = { reason: `${failure instanceof Error ? failure.message : String(failure)}${hint}` };
  } finally {
    busy.value = false;
  }
}

function solvedText(store: Store): string {
  const weights = [...store.weights.value];
  const [least, most] = [Math.min(...weights), Math.max(...weights)].map(formatWeight);
  return `Target shares: ${pluralText(weights.length, "weight")} from ${least} to ${most}`;
}

/** The classes weights name, else the rarest, each at its present share. */
function firstTargets(store: Store): Target[] {
  const charts = chartsOf(store);
  const named = [...charts.namedClasses.value];
  const classes = named.length > 0 ? named : (store.query.value?.rare_classes ?? []);
  const expected = charts.histogram.value?.expected ?? new Float64Array(0);
  const all =
    store.unit.value === "samples" ? (charts.plan.value?.draws ?? 0) : expected.reduce((sum, n) => sum + n, 0);
  return classes.slice(0, OFFERED).map((classIndex) => ({
    classIndex,
    percent: all > 0 ? Number(((100 * (expected[classIndex] ?? 0)) / all).toPrecision(2)) : 10,
  }));
}
