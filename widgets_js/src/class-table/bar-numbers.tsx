import type { ReadonlySignal } from "@preact/signals";
import { countText, timesText } from "../ui/number-text.ts";
import type { BarSource } from "./bar-source.ts";

interface Props {
  id: string;
  source: ReadonlySignal<BarSource | null>;
  hovered: ReadonlySignal<number | null>;
  names: readonly string[];
  drawn: readonly number[] | null; // by the loader's own stream, in the first epoch
  place: (bar: number) => { top: number } | { bottom: number };
}

/** The numbers of the bar under the pointer or with focus. */
export function BarNumbers({ id, source, hovered, names, drawn, place }: Props) {
  const bar = hovered.value;
  const bars = source.value;
  if (bar === null || bars === null) return null;
  const { raw, expected, low, high } = bars.histogram;
  const n = raw[bar] ?? 0;
  const mean = expected[bar] ?? 0;
  const style = Object.fromEntries(Object.entries(place(bar)).map(([side, value]) => [side, `${value}px`]));
  return (
    <div id={id} class="penstock-bar-numbers" role="tooltip" style={style} data-testid="bar-numbers">
      <b>{names[bar]}</b>
      <dl>
        <dt>raw</dt>
        <dd>
          {countText(n)}{" "}
          <span class="penstock-bar-band">{bars.rows > 0 ? `${countText(n / bars.rows)} per sample` : ""}</span>
        </dd>
        <dt>sampled</dt>
        <dd>
          {countText(mean)}{" "}
          <span class="penstock-bar-band">{`${countText(low[bar] ?? 0)} – ${countText(high[bar] ?? 0)}`}</span>
        </dd>
        {drawn !== null && drawn[bar] !== undefined && (
          <>
            <dt>○ drawn</dt>
            <dd>{countText(drawn[bar])}</dd>
          </>
        )}
        <dt>seen</dt>
        <dd>{n > 0 ? `${timesText(mean / n)} per epoch` : "no samples"}</dd>
      </dl>
    </div>
  );
}
