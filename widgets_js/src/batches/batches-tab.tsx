import { useSignal } from "@preact/signals";
import { scaleBand, scaleLinear } from "d3-scale";
import { useEffect, useMemo } from "preact/hooks";
import type { Store } from "../session/store.ts";
import { chartsOf } from "../statistics/charts.ts";
import { classColor } from "../ui/colors.ts";
import { countText } from "../ui/number-text.ts";
import { CoverChart, CoverChoice, CoverSay } from "../ui/strip-parts.tsx";
import { batchParts, legendClasses } from "./batch-parts.ts";
import { batchesText } from "./batches-text.ts";
import { type Batches, followBatches } from "./followed-batches.ts";

const SIZES = [16, 32, 64, 128, 256].map((value) => ({ value, text: String(value) }));
const MARGIN = { top: 4, bottom: 16, left: 4, right: 4 };

/** What the first batches of the exported loader hold. */
export function BatchesTab({ store }: { store: Store }) {
  const size = useSignal(64);
  const batches = useSignal<Batches | null>(null);
  const fault = useSignal<string | null>(null);
  const follow = useMemo(() => () => followBatches(store, { size, batches, fault }), [store, size, batches, fault]);
  useEffect(follow, [follow]);
  const found = batches.value;
  const live = store.isLive.value;
  const choice = (
    <CoverChoice
      label="batch size"
      testid="batch-size"
      options={SIZES}
      value={size.value}
      onChange={(value) => {
        size.value = value;
      }}
    />
  );
  if (chartsOf(store).nothingDrawn.value || fault.value !== null || found === null) {
    const headline = live ? "Batches" : "Batches need a running kernel.";
    const waiting = live ? "loading the first batches…" : "";
    const told = chartsOf(store).nothingDrawn.value
      ? { headline: "Nothing can be drawn.", sentence: ["Every weight is 0."] }
      : { headline, sentence: [fault.value ?? waiting] };
    return <CoverSay told={told} />;
  }
  return (
    <>
      <CoverChart>{(box) => <Stacks store={store} batches={found} {...box} />}</CoverChart>
      <CoverSay told={batchesText(found.counts, found.size, aboutClass(store), found.stale)}>
        {live && <> Size {choice}</>}
      </CoverSay>
    </>
  );
}

/** The class to look for: of those that weights name the rarest, else the rarest of the pool. */
function aboutClass(store: Store): { index: number; name: string } | null {
  const charts = chartsOf(store);
  const raw = charts.histogram.value?.raw ?? new Float64Array(0);
  const present = Array.from(raw.keys()).filter((c) => (raw[c] ?? 0) > 0);
  const named = present.filter((c) => charts.namedClasses.value.has(c));
  const [index] = (named.length > 0 ? named : present).sort((a, b) => (raw[a] ?? 0) - (raw[b] ?? 0));
  const name = index === undefined ? undefined : store.classNames.value[index];
  return index === undefined || name === undefined ? null : { index, name };
}

interface StacksProps {
  store: Store;
  batches: Batches;
  width: number;
  height: number;
}

function Stacks({ store, batches, width, height }: StacksProps) {
  const names = store.classNames.value;
  const { counts } = batches;
  const legend = legendClasses(counts);
  const most = Math.max(1, ...counts.map((batch) => batch.reduce((sum, n) => sum + n, 0)));
  const x = scaleBand<number>()
    .domain([...counts.keys()])
    .range([MARGIN.left, Math.max(MARGIN.left + 1, width - MARGIN.right)])
    .paddingInner(0.2);
  const y = scaleLinear()
    .domain([0, 1])
    .range([height - MARGIN.bottom, MARGIN.top]);
  return (
    <svg
      class="penstock-stacks"
      width={width}
      height={height}
      role="img"
      aria-label={`labels of each class in the first ${countText(counts.length)} batches`}
      data-stale={batches.stale}
      data-testid="batches"
    >
      {counts.map((batch, i) => {
        const told = legend.map((c) => `${names[c]} ${countText(batch[c] ?? 0)}`).join(", ");
        let below = 0;
        return (
          <g key={i} data-testid="batch" aria-label={`batch ${i + 1}: ${told}`}>
            <title>{`batch ${i + 1}: ${told}`}</title>
            {batchParts(batch, legend, most).map(({ classIndex, share, count }) => {
              const from = below;
              below += share;
              return (
                <rect
                  key={classIndex}
                  x={x(i)}
                  width={x.bandwidth()}
                  y={y(below)}
                  height={Math.max(0.5, y(from) - y(below) - 1)}
                  style={{ fill: classColor(classIndex) }}
                  data-class={classIndex === null ? "others" : names[classIndex]}
                  data-count={count}
                />
              );
            })}
            <text x={(x(i) ?? 0) + x.bandwidth() / 2} y={height - 3} text-anchor="middle">
              {i + 1}
            </text>
          </g>
        );
      })}
    </svg>
  );
}
