import { useEffect, useState } from "preact/hooks";
import type { Session } from "../session/session.ts";
import { focusable } from "../ui/focus.ts";
import { Popover } from "../ui/popover.tsx";

/** How the image is drawn: brightness and contrast, and which values of more than 8 bits are black and white. */
export function ToneButton({ session }: { session: Session }) {
  const { brightness, contrast, window } = session.detail;
  const on = brightness.value !== 1 || contrast.value !== 1 || window.value !== null;
  return (
    <Popover
      class={`penstock-icon-button${on ? " penstock-on" : ""}`}
      title="brightness and contrast of the display; the data does not change"
      name="Brightness and contrast"
      testid="penstock-tone"
      label={
        <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
          <circle cx="7" cy="7" r="5" fill="none" stroke="currentColor" stroke-width="1.4" />
          <path d="M7 2a5 5 0 010 10z" fill="currentColor" />
        </svg>
      }
    >
      {() => <Tone session={session} />}
    </Popover>
  );
}

interface Levels {
  bits: number;
  low: number;
  high: number;
}

function Tone({ session }: { session: Session }) {
  const { detail } = session;
  const levels = useLevels(session);
  const reset = (): void => {
    detail.brightness.value = 1;
    detail.contrast.value = 1;
    detail.window.value = null;
  };
  return (
    <div class="penstock-tone" data-testid="penstock-tone-panel">
      <Range label="brightness" value={detail.brightness.value} onChange={(to) => (detail.brightness.value = to)} />
      <Range label="contrast" value={detail.contrast.value} onChange={(to) => (detail.contrast.value = to)} />
      {levels !== null && levels.bits > 8 ? <Window session={session} levels={levels} /> : null}
      <div class="penstock-row">
        <span class="penstock-note">Display only; the data does not change.</span>
        <span class="penstock-grow" />
        <button {...focusable} type="button" class="penstock-link" onClick={reset} data-testid="penstock-tone-reset">
          Reset
        </button>
      </div>
    </div>
  );
}

/** The range of the image's values, asked for while the popover is open. */
function useLevels({ detail, store }: Session): Levels | null {
  const [levels, setLevels] = useState<Levels | null>(null);
  const uid = detail.sample.value?.uid;
  useEffect(() => {
    if (uid === undefined || !store.isLive.peek()) return;
    store.rpc.call("sample.levels", { uid }, { lane: "levels" }).then(
      ({ result }) => setLevels(result),
      () => setLevels(null),
    );
  }, [uid]);
  return levels;
}

function Range({ label, value, onChange }: { label: string; value: number; onChange: (to: number) => void }) {
  return (
    <label>
      <span>{label}</span>
      <input
        {...focusable}
        type="range"
        min={0.2}
        max={3}
        step={0.05}
        value={value}
        data-testid={`penstock-${label}`}
        onInput={(event) => onChange(Number(event.currentTarget.value))}
        onDblClick={() => onChange(1)}
      />
      <span class="penstock-number">{Math.round(value * 100)}%</span>
    </label>
  );
}

/** Window and level, as radiologists set them: the width of the values shown, and the one in the middle. */
function Window({ session, levels }: { session: Session; levels: Levels }) {
  const { window } = session.detail;
  const [low, high] = window.value ?? [levels.low, levels.high];
  const span = Math.max(levels.high - levels.low, 1e-6);
  const step = levels.bits === 32 ? span / 500 : 1;
  const set = (width: number, level: number): void => {
    window.value = [level - width / 2, level + width / 2];
  };
  const [width, level] = [high - low, (high + low) / 2];
  const rows = [
    { label: "window", value: width, min: span / 256, max: span, to: (next: number) => set(next, level) },
    { label: "level", value: level, min: levels.low, max: levels.high, to: (next: number) => set(width, next) },
  ];
  return (
    <>
      {rows.map(({ label, value, min, max, to }) => (
        <label key={label}>
          <span>{label}</span>
          <input
            {...focusable}
            type="range"
            min={min}
            max={max}
            step={step}
            value={value}
            data-testid={`penstock-${label}`}
            onInput={(event) => to(Number(event.currentTarget.value))}
          />
          <span class="penstock-number">{Math.round(value).toLocaleString("en-US")}</span>
        </label>
      ))}
      <p class="penstock-note" data-testid="penstock-levels">
        {levels.bits}-bit image, values {levels.low.toLocaleString("en-US")} to {levels.high.toLocaleString("en-US")}
      </p>
    </>
  );
}
