// The right region by itself, over a scripted kernel: dev/table.html#scenario=weighted&dark&width=568&height=466
import { render } from "preact";
import { ClassTable } from "../src/class-table/class-table.tsx";
import { chartsOf } from "../src/statistics/charts.ts";
import { lawOf } from "../src/statistics/laws.ts";
import { liveSession, queryState, type Scenario } from "./scripted-kernel.ts";

const options = new URLSearchParams(location.hash.slice(1));
const many = Array.from({ length: 1203 }, (_, i) => `a class with a rather long name, number ${i}`);
const scenarios: Record<string, Scenario> = {
  weighted: { weights: { 5: 20, 4: 8, 3: 6 } },
  first: {},
  dealt: { weights: { 5: 20, 4: 8, 3: 6 }, mode: "deck" },
  once: { weights: { 5: 20, 4: 8, 3: 6 }, mode: "once", draws: 200 },
  ceiling: { weights: { 5: 20, 4: 8, 3: 6 }, everythingElse: 0 },
  zero: { weights: { 5: 0, 4: 0, 3: 0.2 }, everythingElse: 0 },
  coco: {
    names: Array.from({ length: 80 }, (_, i) => (i === 0 ? "person" : `class number ${i}`)),
    weights: Object.fromEntries(
      Array.from({ length: 80 }, (_, i) => [i, i === 79 ? 400 : Math.round(10 * (1 + i * 0.4)) / 10]),
    ),
    strata: (clauseOf, fallback) =>
      Array.from({ length: 80 }, (_, i) => {
        const rows = Math.round(2693 / (1 + i)) + 5;
        const other = (i * 7) % 80;
        return {
          size: rows,
          clauses: [...new Set([clauseOf.get(i) as number, clauseOf.get(other) as number])]
            .sort((a, b) => a - b)
            .concat(fallback as number),
          classes: { [i]: [rows, 4 * rows, 20 * rows], ...(other === i ? {} : { [other]: rows }) },
        };
      }),
  },
  many: {
    names: many,
    counts: many.map((_, i) => 3000 - 2 * i),
    weights: { 1000: 20, 1100: 0.5 },
    strata: (clauseOf, fallback) =>
      many.map((_, i) => ({
        size: 3000 - 2 * i,
        clauses: [...(clauseOf.has(i) ? [clauseOf.get(i) as number] : []), fallback as number],
        classes: { [i]: 3000 - 2 * i, [(i * 7) % 1203]: 100 },
      })),
  },
};
const scenario = scenarios[options.get("scenario") ?? "weighted"] ?? {};
const { session, model } = liveSession(scenario);
const { store } = session;
model.onSend = ({ id, op, args }) => {
  const plan = chartsOf(store).plan.peek();
  const answer = (result: unknown, buffers: unknown[] = []) => setTimeout(() => model.reply(id, result, buffers), 20);
  if (op === "plan.drawn" && plan !== null) {
    const epochs = Array.from({ length: args.num_epochs as number }, (_, i) => lawOf(plan).unseen(i + 1));
    answer({
      unique: epochs.map(({ mean, variance }, i) => plan.drawable - mean + Math.sin(9 * i) * Math.sqrt(variance)),
      counts: Array.from(chartsOf(store).histogram.peek()?.expected ?? [], (n, c) =>
        Math.round(n + 1.4 * Math.sqrt(n) * Math.sin(5 * c)),
      ),
    });
  } else if (op === "plan.batches") {
    const shares = chartsOf(store).histogram.peek()?.expected ?? new Float64Array(0);
    const count = args.num_batches as number;
    const size = args.batch_size as number;
    const draws = plan?.draws ?? 1;
    const noise = (i: number, c: number) => 1 + 0.4 * Math.sin(3 * i + 5 * c);
    answer({
      counts: Array.from({ length: count }, (_, i) =>
        Array.from(shares, (n, c) => Math.round((n / draws) * size * noise(i, c))),
      ),
    });
  } else if (op === "clause.add" || op === "clause.preset") {
    answer({ text: "", reference: "each class as often as the commonest (King and Zeng, 2001)" });
  } else if (op === "query.run") {
    const { query, buffers } = queryState({ weights: { 5: 20, 4: 8, 3: 6 } });
    answer({ query, history: [] }, buffers);
  } else if (op === "targets.solve") {
    setTimeout(
      () =>
        model.refuse(id, {
          code: "InfeasibleTargetsError",
          message: "no row has both Cross and Circle, so together at most 100 %; you asked 110 %",
        }),
      20,
    );
  } else answer({});
};

document.documentElement.style.background = options.has("dark") ? "#15181c" : "#f6f7f8";
const root = document.getElementById("root") as HTMLElement;
root.style.width = `${options.get("width") ?? 568}px`;
const height = options.get("height");
render(
  <div class="penstock" data-theme={options.has("dark") ? "dark" : "light"}>
    <div style={{ background: "var(--penstock-panel)", ...(height === null ? {} : { height: `${height}px` }) }}>
      <ClassTable session={session} />
    </div>
  </div>,
  root,
);
Object.assign(globalThis, { store });
