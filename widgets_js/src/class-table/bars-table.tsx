import type { ReadonlySignal } from "@preact/signals";
import { useAtRest } from "../ui/at-rest.ts";
import { countText } from "../ui/number-text.ts";
import type { BarSource } from "./bar-source.ts";

interface Props {
  source: ReadonlySignal<BarSource | null>;
  classes: readonly number[];
  unit: string;
}

/** The same figures for screen readers, once the sliders rest. */
export function BarsTable({ source, classes, unit }: Props) {
  const bars = useAtRest(source, 300).value;
  if (bars === null) return null;
  const { raw, expected, low, high } = bars.histogram;
  return (
    <div class="penstock-hidden">
      <table data-testid="bars-table">
        <caption>{`${unit} of each class: raw, and sampled in an epoch of ${countText(bars.draws)} draws`}</caption>
        <thead>
          <tr>
            {["class", "raw", "sampled", "low, 95%", "high, 95%"].map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {classes.map((c) => (
            <tr key={c}>
              <th scope="row">{bars.names[c]}</th>
              {[raw, expected, low, high].map((values, i) => (
                <td key={i}>{countText(values[c] ?? 0)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
