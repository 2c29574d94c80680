import type { Store } from "../session/store.ts";
import { chartsOf } from "../statistics/charts.ts";
import { carrier } from "../statistics/lift.ts";
import { timesText } from "../ui/number-text.ts";

const TOLD = 3;

/** One sentence on what the weights do to classes nobody asked about. Keeps its two lines free, so that nothing jumps. */
export function LiftNote({ store }: { store: Store }) {
  const charts = chartsOf(store);
  const request = charts.liftRequest.value;
  const lift = charts.lift.value;
  const seen = mostSeen(store);
  const named = request !== null && request.named.size > 0;
  if (!named || lift === null || charts.nothingDrawn.value) {
    const plain = store.query.value?.has_sampling === false && request !== null;
    return (
      <div class="penstock-note penstock-lift">{plain && "Without weights, every sample is drawn once per epoch."}</div>
    );
  }
  const plan = charts.plan.value;
  if (plan !== null && plan.mode === "once" && plan.draws === plan.drawable) {
    return (
      <div class="penstock-note penstock-lift" data-testid="lift">
        Every sample that can be drawn is drawn once. Weights change nothing unless <b>limit</b> asks for fewer.
      </div>
    );
  }
  const carried = lift.carried.slice(0, TOLD).map(({ classIndex, ratio }) => {
    const clause = carrier(request, lift, classIndex, store.unit.value);
    return { name: store.classNames.value[classIndex], ratio, by: clauseLabel(store, clause) };
  });
  const up = carried.filter(({ ratio }) => ratio > 1);
  const down = carried.filter(({ ratio }) => ratio < 1);
  const rest = lift.carried.length - carried.length;
  return (
    <div class="penstock-note penstock-lift" data-testid="lift" data-dilution={lift.dilution}>
      {up.length > 0 && <Carried verb="Also drawn more often" items={up} />}
      {down.length > 0 && <Carried verb="Also drawn less often" items={down} />}
      {rest > 0 && <span>{`${rest} more classes changed. `}</span>}
      <Dilution value={lift.dilution} alone={carried.length === 0} />
      {seen !== null && (
        <span>
          Each {seen.name} is seen <b data-testid="seen">{timesText(seen.times).replace("×", "")}×</b> per epoch.
        </span>
      )}
    </div>
  );
}

function Dilution({ value, alone }: { value: number; alone: boolean }) {
  if (Number.isNaN(value)) return null;
  if (!(value > 0))
    return <span>{alone ? "Nothing else is drawn. " : "Samples without a clause are never drawn. "}</span>;
  return <span>{`${alone ? "Everything else" : "All others"}: ${timesText(value)}. `}</span>;
}

interface Item {
  name: string | undefined;
  ratio: number;
  by: string | null;
}

function Carried({ verb, items }: { verb: string; items: Item[] }) {
  return (
    <span>
      {`${verb}: `}
      {items.map(({ name, ratio, by }, i) => (
        <span key={name}>
          {i > 0 && ", "}
          <b>{`${name} ${timesText(ratio)}`}</b>
          {by !== null && ` (with ${by})`}
        </span>
      ))}
      {". "}
    </span>
  );
}

function clauseLabel(store: Store, clause: number | null): string | null {
  return clause === null ? null : (store.query.value?.clauses[clause]?.label ?? null);
}

/** The named class whose samples come most often. */
function mostSeen(store: Store): { name: string; times: number } | null {
  const charts = chartsOf(store);
  const bars = charts.histogram.value;
  let best: { name: string; times: number } | null = null;
  if (bars === null) return null;
  for (const c of charts.namedClasses.value) {
    const raw = bars.raw[c] ?? 0;
    const times = raw > 0 ? (bars.expected[c] ?? 0) / raw : 0;
    const name = store.classNames.value[c];
    if (name !== undefined && times > (best?.times ?? 0)) best = { name, times };
  }
  return best;
}
