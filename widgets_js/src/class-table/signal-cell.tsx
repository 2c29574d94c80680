import { figureText } from "../ui/number-text.ts";
import type { RowProps } from "./row-props.ts";
import { largestMean, meanOf, meansOf } from "./signal-means.ts";

const BAR = 34;

/** The mean of what training reported of a row's samples. */
export function SignalCell({ model, row, columns }: RowProps) {
  const means = meansOf(model.store).value;
  const mean = meanOf(means, row);
  const most = largestMean(means);
  const words = mean === null ? "not reported" : `mean ${means?.name} ${figureText(mean)}`;
  return (
    <div
      role="cell"
      class="penstock-signal-cell"
      title={`${row.label}: ${words}`}
      data-testid="penstock-signal"
      data-class={row.label}
      data-value={mean ?? ""}
    >
      {columns.signal > BAR && mean !== null && mean > 0 && most > 0 ? (
        <i aria-hidden="true" style={{ width: `${Math.max(1, (BAR * mean) / most)}px` }} />
      ) : null}
      <span>{mean === null ? "–" : shortText(mean)}</span>
    </div>
  );
}

/** Two decimals, as a column of losses reads; larger ones shorter. */
function shortText(value: number): string {
  const size = Math.abs(value);
  if (size < 0.005 && size > 0) return figureText(value);
  return size < 100 ? value.toFixed(size < 10 ? 2 : 1) : figureText(Math.round(value));
}
