import { effect, type Signal, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { whyNot } from "../session/answers.ts";
import { isCancelled } from "../session/rpc.ts";
import type { Store } from "../session/store.ts";
import { chartsOf } from "../statistics/charts.ts";
import { classColor } from "../ui/colors.ts";
import { debounce } from "../ui/debounce.ts";
import { focusable } from "../ui/focus.ts";
import { countText } from "../ui/number-text.ts";
import { batchParts, legendClasses } from "./batch-parts.ts";

const REST_MS = 150;
const NUM_BATCHES = 10;
const SIZES = [16, 32, 64, 128, 256];

interface Batches {
  readonly counts: readonly (readonly number[])[]; // batch -> instances of each class
  readonly stale: boolean;
}

/** What the first batches of the exported loader hold. */
export function BatchesPanel({ store }: { store: Store }) {
  const size = useSignal(64);
  const batches = useSignal<Batches | null>(null);
  const fault = useSignal<string | null>(null);
  const open = useSignal(false);
  const follow = useMemo(
    () => () => followBatches(store, { size, batches, fault, open }),
    [store, size, batches, fault, open],
  );
  useEffect(follow, [follow]);
  if (store.isTable.value || store.classNames.value.length === 0 || whyNot(store, "plan.batches") !== null) return null;
  const found = batches.value;
  return (
    <section class="penstock-section penstock-batches" data-testid="batches" aria-label="Batches">
      <details
        onToggle={(event) => {
          open.value = event.currentTarget.open;
        }}
      >
        <summary {...focusable}>
          <h3>Batches</h3>
        </summary>
        <div class="penstock-legend">
          {`first ${NUM_BATCHES} batches of`}
          <select
            {...focusable}
            class="penstock-quiet"
            aria-label="batch size"
            data-testid="batch-size"
            value={size.value}
            onChange={(event) => {
              size.value = Number(event.currentTarget.value);
            }}
          >
            {SIZES.map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        </div>
        {fault.value !== null && <p class="penstock-nothing">{fault.value}</p>}
        {found !== null && <Stacks store={store} batches={found} />}
      </details>
    </section>
  );
}

function Stacks({ store, batches }: { store: Store; batches: Batches }) {
  const names = store.classNames.value;
  const legend = legendClasses(batches.counts);
  const most = Math.max(1, ...batches.counts.map((counts) => counts.reduce((sum, n) => sum + n, 0)));
  return (
    <>
      <ol class="penstock-stacks" data-stale={batches.stale} aria-label="classes in each batch">
        {batches.counts.map((counts, i) => {
          const told = legend.map((c) => `${names[c]} ${countText(counts[c] ?? 0)}`).join(", ");
          return (
            <li key={i} class="penstock-stack" title={told} aria-label={`batch ${i}: ${told}`} data-testid="batch">
              <span class="penstock-number">{i}</span>
              <span class="penstock-stack-bar">
                {batchParts(counts, legend, most).map(({ classIndex, share, count }) => (
                  <i
                    key={classIndex}
                    style={{ width: `${100 * share}%`, background: classColor(classIndex) }}
                    data-class={classIndex === null ? "others" : names[classIndex]}
                    data-count={count}
                  />
                ))}
              </span>
            </li>
          );
        })}
      </ol>
      <div class="penstock-legend">
        {legend.map((c) => (
          <span key={c}>
            <i class="penstock-swatch" style={{ background: classColor(c) }} />
            <span class="penstock-legend-name">{names[c]}</span>
          </span>
        ))}
        {batches.stale && <span>for the weights before this change</span>}
      </div>
    </>
  );
}

interface Follow {
  size: Signal<number>;
  batches: Signal<Batches | null>;
  fault: Signal<string | null>;
  open: Signal<boolean>;
}

function followBatches(store: Store, { size, batches, fault, open }: Follow): () => void {
  const charts = chartsOf(store);
  const ask = debounce(async () => {
    const plan = charts.plan.peek();
    if (plan === null || plan.draws === 0 || !store.isLive.peek()) return;
    const args = {
      batch_size: size.peek(),
      num_batches: NUM_BATCHES,
      weights: Array.from(store.weights.peek()),
      mode: plan.mode,
      seed: store.seed.peek(),
    };
    try {
      const { result } = await store.rpc.call("plan.batches", args, { lane: "batches" });
      batches.value = { counts: result.counts, stale: false };
      fault.value = null;
    } catch (failure) {
      if (!isCancelled(failure)) fault.value = failure instanceof Error ? failure.message : String(failure);
    }
  }, REST_MS);
  const stop = effect(() => {
    const plan = charts.plan.value;
    void size.value;
    void store.seed.value;
    const last = batches.peek();
    if (last !== null && !last.stale) batches.value = { ...last, stale: true };
    if (plan !== null && open.value && store.isLive.value) ask();
  });
  return () => {
    stop();
    ask.cancel();
  };
}
