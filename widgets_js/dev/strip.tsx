// The coverage strip by itself, at a width and a state: dev/strip.html#width=568&height=120&scenario=weighted&tab=epochs&dark
import { render } from "preact";
import { CoverageStrip } from "../src/coverage/coverage-strip.tsx";
import { chartsOf } from "../src/statistics/charts.ts";
import { lawOf } from "../src/statistics/laws.ts";
import { liveSession, type Scenario } from "./scripted-kernel.ts";

const options = new URLSearchParams(location.hash.slice(1));
const weights = { 5: 20, 4: 8, 3: 6 };
const scenarios: Record<string, Scenario> = {
  weighted: { weights },
  first: {},
  deck: { weights, mode: "deck" },
  once: { weights, mode: "once" },
  few: { weights, mode: "once", draws: 100 },
  ceiling: { weights, everythingElse: 0 },
  zero: { weights: { 5: 0 }, everythingElse: 0 },
  rare: { weights: { 5: 2000 } },
};
const { session, model } = liveSession(scenarios[options.get("scenario") ?? "weighted"] ?? {});
const { store } = session;
model.onSend = ({ id, op, args }) => {
  const plan = chartsOf(store).plan.peek();
  if (plan === null) return;
  const answer = (result: unknown) => setTimeout(() => model.reply(id, result, []), 20);
  if (op === "plan.drawn") {
    const epochs = Array.from({ length: args.num_epochs as number }, (_, i) => lawOf(plan).unseen(i + 1));
    const unique = epochs.map(({ mean, variance }, i) => plan.drawable - mean + Math.sin(9 * i) * Math.sqrt(variance));
    answer({ unique, counts: [] });
  } else if (op === "plan.batches") {
    const shares = chartsOf(store).histogram.peek()?.expected ?? new Float64Array(0);
    const noise = (i: number, c: number) => 1 + 0.6 * Math.sin(3 * i + 5 * c);
    answer({
      counts: Array.from({ length: args.num_batches as number }, (_, i) =>
        Array.from(shares, (n, c) => Math.round((n / plan.draws) * (args.batch_size as number) * noise(i, c))),
      ),
    });
  }
};
document.documentElement.style.background = options.has("dark") ? "#15181c" : "#f6f7f8";
const root = document.getElementById("root") as HTMLElement;
const alone = options.has("alone");
root.style.width = `${options.get("width") ?? 492}px`;
render(
  <div class="penstock" data-theme={options.has("dark") ? "dark" : "light"}>
    <div style={{ background: "var(--penstock-panel)", height: alone ? "auto" : `${options.get("height") ?? 120}px` }}>
      <CoverageStrip session={session} alone={alone} />
    </div>
  </div>,
  root,
);
const tab = options.get("tab");
if (tab !== null) setTimeout(() => document.querySelector<HTMLElement>(`[data-tab=${tab}]`)?.click(), 50);
