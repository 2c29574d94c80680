import type { Session } from "../session/session.ts";
import { focusable } from "../ui/focus.ts";
import { pluralText } from "../ui/number-text.ts";

/** What GROUP, JOIN and concatenation give: rows of no dataset, to be read. */
export function TablePanel({ session }: { session: Session }) {
  const { store } = session;
  const table = store.query.value?.table;
  if (table == null) return null;
  return (
    <section class="penstock-table" aria-label="Result" data-testid="penstock-table">
      <p class="penstock-note">
        A table of {pluralText(table.rows.length, "row")}. Its rows are not samples, so weights, coverage, edits and
        export are not available.{" "}
        <button
          {...focusable}
          type="button"
          class="penstock-link"
          onClick={() => void store.actions.run({ text: session.lastRows ?? "select *" })}
        >
          Back to the last query with samples
        </button>
      </p>
      <div {...focusable} class="penstock-table-scroll" tabIndex={0} role="region" aria-label="Rows">
        <table>
          <thead>
            <tr>
              {table.columns.map((column) => (
                <th key={column} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {table.rows.map((row, i) => (
              <tr key={i}>
                {row.map((cell, k) => (
                  <td key={k} class={typeof cell === "number" ? "penstock-number" : ""}>
                    {cell === null ? "NULL" : String(cell)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
