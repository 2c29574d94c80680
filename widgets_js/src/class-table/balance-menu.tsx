import { type Signal, useSignal } from "@preact/signals";
import { whyNot } from "../session/answers.ts";
import type { Session } from "../session/session.ts";
import type { Store } from "../session/store.ts";
import { focusable } from "../ui/focus.ts";
import { Popover } from "../ui/popover.tsx";
import { walk } from "../ui/walk.ts";
import { applyPreset, resetAll } from "./apply-preset.ts";
import { PRESETS, type PresetInfo } from "./preset-weights.ts";
import { TargetShares } from "./target-shares.tsx";

/** All ways to weigh every class at once; the button says which one holds. Filled before any weight, while Commit is not. */
export function BalanceMenu({ session }: { session: Session }) {
  const { store } = session;
  const typed = useSignal<Readonly<Record<string, string>>>({});
  const blocked = store.textFault.value !== null || store.statistics.value === null || hasNothing(store);
  const first = !store.query.value?.has_sampling && store.region.value !== "review";
  return (
    <Popover
      label={`${balanceLabel(store)} ▾`}
      class={`penstock-button penstock-tool-button${first && !blocked ? " penstock-primary" : ""}`}
      testid="penstock-balance"
      title="weigh all classes at once"
      disabled={blocked}
    >
      {(close) => <Menu session={session} typed={typed} close={close} />}
    </Popover>
  );
}

/** No class labels, or no kernel to write the first clause. */
function hasNothing(store: Store): boolean {
  if (store.classNames.value.length === 0) return true;
  return !store.isLive.value && store.clauses.value.length === 0;
}

/** "Balance", or what the weights come from: "Balanced, 1 changed". */
export function balanceLabel(store: Store): string {
  const preset = store.preset.value;
  const info = PRESETS.find(({ name }) => name === preset?.name);
  if (preset === null || info === undefined || info.name === "raw") return "Balance";
  const changed = changedWeights(store).size;
  const title = info.label.charAt(0).toUpperCase() + info.label.slice(1);
  return changed > 0 ? `${title}, ${changed} changed` : title;
}

/** Clauses of the preset whose weight is another one by now. */
export function changedWeights(store: Store): ReadonlySet<number> {
  const weights = store.weights.value;
  const written = store.preset.value?.weights ?? [];
  return new Set(
    [...written.keys()].filter((i) => written[i] !== null && i < weights.length && written[i] !== weights[i]),
  );
}

interface MenuProps {
  session: Session;
  typed: Signal<Readonly<Record<string, string>>>;
  close: () => void;
}

function Menu({ session, typed, close }: MenuProps) {
  const { store } = session;
  const solving = useSignal(false);
  const noTargets = whyNot(store, "targets.solve");
  const preset = store.preset.value;
  const current = store.query.value?.has_sampling ? (preset?.name ?? null) : "raw";
  return (
    <div class="penstock-menu penstock-balance" role="dialog" aria-label="weigh all classes at once" onKeyDown={walk}>
      {PRESETS.map((one) => (
        <PresetRow key={one.name} {...{ session, typed, close }} preset={one} current={current === one.name} />
      ))}
      <hr />
      <button
        {...focusable}
        type="button"
        class="penstock-balance-row"
        disabled={noTargets !== null}
        title={noTargets ?? undefined}
        aria-expanded={solving.value}
        data-testid="target-shares"
        onClick={() => {
          solving.value = !solving.value;
        }}
      >
        <span />
        <span>target shares…</span>
        <span class="penstock-balance-what">name a share per class; solved</span>
      </button>
      {solving.value && noTargets === null && <TargetShares session={session} />}
      <button
        {...focusable}
        type="button"
        class="penstock-balance-row"
        disabled={!store.query.value?.has_sampling}
        data-testid="penstock-reset-all"
        onClick={() => {
          close();
          void resetAll(session);
        }}
      >
        <span />
        <span>reset all</span>
        <span class="penstock-balance-what">{store.isLive.value ? "removes SAMPLE BY" : "every weight 1"}</span>
      </button>
    </div>
  );
}

interface RowProps extends MenuProps {
  preset: PresetInfo;
  current: boolean;
}

function PresetRow({ session, preset, current, typed, close }: RowProps) {
  const { store } = session;
  const { name, label, formula, source, about, parameter } = preset;
  const applied = current ? (store.preset.value?.parameter ?? undefined) : undefined;
  const text = typed.value[name] ?? String(applied ?? parameter?.usual ?? "");
  const value = parameter === undefined ? undefined : Number(text);
  const bad =
    parameter !== undefined &&
    (text.trim() === "" || !((value as number) >= parameter.least && (value as number) <= parameter.most));
  const apply = (): void => {
    if (bad) return;
    close();
    void applyPreset(session, preset, value);
  };
  return (
    <div class="penstock-balance-row" title={about} data-current={current}>
      <span aria-hidden="true" class="penstock-balance-tick">
        {current ? "✓" : ""}
      </span>
      <button
        {...focusable}
        type="button"
        aria-pressed={current}
        disabled={bad}
        data-testid={`preset-${name}`}
        onClick={apply}
      >
        {label}
      </button>
      <span class="penstock-balance-what">
        <span>{formula}</span>
        {parameter !== undefined && (
          <label>
            {parameter.symbol}{" "}
            <input
              {...focusable}
              type="number"
              min={parameter.least}
              max={parameter.most}
              step="any"
              aria-invalid={bad}
              title={`from ${parameter.least} to ${parameter.most}`}
              data-testid={`preset-${name}-parameter`}
              value={text}
              onInput={(event) => {
                typed.value = { ...typed.value, [name]: event.currentTarget.value };
              }}
              onKeyDown={(event) => {
                if (event.key === "Enter") apply();
              }}
            />
          </label>
        )}
        <span class="penstock-balance-source">{source}</span>
      </span>
    </div>
  );
}
