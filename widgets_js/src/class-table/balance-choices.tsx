import { type Signal, useSignal } from "@preact/signals";
import { whyNot } from "../session/answers.ts";
import type { Session } from "../session/session.ts";
import { focusable } from "../ui/focus.ts";
import { walk } from "../ui/walk.ts";
import { applyPreset, resetAll } from "./apply-preset.ts";
import { PRESETS, type PresetInfo } from "./preset-weights.ts";
import { TargetShares } from "./target-shares.tsx";

interface MenuProps {
  session: Session;
  typed: Signal<Readonly<Record<string, string>>>;
  close: () => void;
}

/** The presets, target shares and reset: what the button opens. */
export function BalanceChoices({ session, typed, close }: MenuProps) {
  const { store } = session;
  const solving = useSignal(false);
  const live = store.isLive.value;
  const noTargets = whyNot(store, "targets.solve");
  const preset = store.preset.value;
  const current = store.query.value?.has_sampling ? (preset?.name ?? null) : "raw";
  return (
    <div
      class="penstock-balance"
      data-penstock-undo="weights"
      role="dialog"
      aria-label="set the weights of all classes at once"
      onKeyDown={walk}
    >
      {PRESETS.map((one) => (
        <PresetRow key={one.name} {...{ session, typed, close }} preset={one} current={current === one.name} />
      ))}
      <hr />
      <button
        {...focusable}
        type="button"
        class="penstock-balance-only"
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
        <span class="penstock-balance-what">enter shares; weights follow</span>
      </button>
      {solving.value && noTargets === null && <TargetShares session={session} />}
      <button
        {...focusable}
        type="button"
        class="penstock-balance-only"
        disabled={!store.query.value?.has_sampling}
        data-testid="penstock-reset-all"
        onClick={() => {
          close();
          void resetAll(session);
        }}
      >
        <span />
        <span>reset all</span>
        <span class="penstock-balance-what">{live ? "removes SAMPLE BY" : "every weight 1"}</span>
      </button>
    </div>
  );
}

function isWithin(text: string, { least, most }: { least: number; most: number }): boolean {
  return text.trim() !== "" && Number(text) >= least && Number(text) <= most;
}

interface RowProps extends MenuProps {
  preset: PresetInfo;
  current: boolean;
}

function PresetRow({ session, preset, current, typed, close }: RowProps) {
  const { store } = session;
  const { name, label, formula, source, about, parameter } = preset;
  const usual = String((current ? store.preset.value?.parameter : null) ?? parameter?.usual ?? "");
  const text = typed.value[name] ?? usual;
  const bad = parameter !== undefined && !isWithin(text, parameter);
  const apply = (): void => {
    const now = typed.peek()[name] ?? usual;
    if (parameter !== undefined && !isWithin(now, parameter)) return;
    close();
    void applyPreset(session, preset, parameter === undefined ? undefined : Number(now));
  };
  return (
    <div class="penstock-balance-row" title={about} data-current={current}>
      <button
        {...focusable}
        type="button"
        aria-pressed={current}
        disabled={bad}
        data-testid={`preset-${name}`}
        onClick={apply}
      >
        <span aria-hidden="true" class="penstock-balance-tick">
          {current ? "✓" : ""}
        </span>
        <span>{label}</span>
        <span class="penstock-balance-what">{formula}</span>
      </button>
      {parameter !== undefined && (
        <label>
          {parameter.symbol}
          <input
            {...focusable}
            type="number"
            min={parameter.least}
            max={parameter.most}
            step="any"
            aria-label={`${parameter.symbol} of ${label}`}
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
    </div>
  );
}
