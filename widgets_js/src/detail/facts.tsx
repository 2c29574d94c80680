import type { Session } from "../session/session.ts";
import type { ShownSample } from "../session/shown-sample.ts";
import { stratumWeights, totalWeight } from "../statistics/weights.ts";
import { countText, pluralText } from "../ui/number-text.ts";

type Fact = readonly [name: string, value: string, title?: string];

/** What is known of a sample beside its labels: its weight and how often it is drawn first. */
function factsOf(session: Session, sample: ShownSample, box: number | null): Fact[] {
  return [...drawFacts(session, sample), ...imageFacts(session, sample), ...fieldFacts(sample, box)];
}

function drawFacts({ store }: Session, sample: ShownSample): Fact[] {
  const query = store.query.value;
  if (query === null || query.kind !== "rows" || sample.position < 0) return [];
  if (!query.has_sampling)
    return [
      ["weight", "1, no SAMPLE BY"],
      ["drawn", "once per epoch"],
    ];
  const { weight, from } = weightOf(store, sample);
  if (weight === null) return [];
  return [
    ["weight", `${numberText(weight, 3)}${from}`],
    ["drawn", drawnText(store, weight)],
  ];
}

type Store = Session["store"];

/** The weight as the sliders stand, and which clause it is from. */
export function weightOf(store: Store, sample: ShownSample): { weight: number | null; from: string } {
  const { clauses } = sample;
  const infos = store.clauses.value;
  if (clauses === null || clauses.some((clause) => clause >= infos.length)) return { weight: sample.weight, from: "" };
  if (clauses.length === 0) return { weight: 0, from: ", no clause matches" };
  const weights = clauses.map((clause) => store.weights.value[clause] ?? 0);
  const combine = store.combine.value;
  const most = Math.max(...weights);
  const raw =
    combine === "max" ? most : weights.reduce((one, other) => (combine === "sum" ? one + other : one * other));
  const cap = store.query.value?.cap ?? null;
  const weight = cap === null ? raw : Math.min(raw, cap);
  const named = clauses[weights.indexOf(most)] ?? 0;
  if (cap !== null && raw > cap) return { weight, from: ", capped" };
  if (combine === "max" || clauses.length === 1) return { weight, from: `, from ${infos[named]?.label ?? ""}` };
  return { weight, from: `, ${combine} of ${pluralText(clauses.length, "clause")}` };
}

function drawnText(store: Store, weight: number): string {
  const { statistics, query } = { statistics: store.statistics.value, query: store.query.value };
  if (weight === 0) return "never";
  if (statistics === null || query === null) return "";
  const weights = stratumWeights(statistics, store.weights.value, store.combine.value, query.cap);
  const total = totalWeight(statistics.sizes, weights);
  if (!(total > 0)) return "never";
  const times = (query.draws * weight) / total;
  if (!query.replace || store.mode.value === "once") return "at most once per epoch";
  return `${numberText(times)} times per epoch`;
}

function numberText(value: number, digits = 2): string {
  return value >= 100 ? countText(Math.round(value)) : String(Number(value.toPrecision(digits)));
}

function imageFacts({ store }: Session, sample: ShownSample): Fact[] {
  const boxes = sample.boxes.length / 4;
  const size: Fact[] =
    sample.error === null && sample.width > 0
      ? [["image", `${countText(sample.width)} × ${countText(sample.height)} px`]]
      : [];
  return [...size, ...(store.dataset.value?.box_tensor == null ? [] : [["boxes", countText(boxes)] as Fact])];
}

function fieldFacts(sample: ShownSample, box: number | null): Fact[] {
  return sample.fields.map((field) => [
    field.name,
    (box === null ? undefined : field.each?.[box]) ?? field.value,
    field.htype,
  ]);
}

/** Redrawn with each move of a slider, and nothing else with it. */
export function Facts({ session, sample }: { session: Session; sample: ShownSample }) {
  const facts = factsOf(session, sample, session.detail.selectedBox.value);
  return (
    <dl class="penstock-facts-list">
      {facts.map(([name, value, title]) => (
        <div key={`${name} ${title}`}>
          <dt title={title}>{name}</dt>
          <dd title={value}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
