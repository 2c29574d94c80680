import { useSignal } from "@preact/signals";
import { focusable } from "../ui/focus.ts";
import { countText, shareText } from "../ui/number-text.ts";
import { type CoverageCurves, coverTable } from "./coverage-curves.ts";

interface Props {
  curves: CoverageCurves;
  basis: number;
}

/** Epochs until 90, 95, 99 and 100% are seen. */
export function CoverTable({ curves, basis }: Props) {
  const open = useSignal(false);
  return (
    <details
      class="penstock-cover-table"
      onToggle={(event) => {
        open.value = event.currentTarget.open;
      }}
    >
      <summary {...focusable}>epochs until 90 · 95 · 99 · 100% are seen</summary>
      {open.value && <Table curves={curves} basis={basis} />}
    </details>
  );
}

function Table({ curves, basis }: Props) {
  const hasDeck = curves.modes.includes("deck");
  return (
    <table data-testid="cover-table">
      <thead>
        <tr>
          <th scope="col">seen</th>
          {hasDeck && <th scope="col">deck</th>}
          <th scope="col">iid, 50%</th>
          <th scope="col">iid, 95%</th>
        </tr>
      </thead>
      <tbody>
        {coverTable(curves, basis).map((row) => (
          <tr key={row.share}>
            <th scope="row">{shareText(row.share)}</th>
            {hasDeck && <td>{epochText(row.deck)}</td>}
            <td>{epochText(row.iid50)}</td>
            <td>{epochText(row.iid95)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function epochText(epoch: number | null): string {
  return epoch === null ? "never" : countText(epoch);
}
