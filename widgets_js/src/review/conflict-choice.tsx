import { useEffect, useRef } from "preact/hooks";
import type { RpcError } from "../session/protocol.ts";
import { focusable } from "../ui/focus.ts";
import { countText, pluralText } from "../ui/number-text.ts";

interface ConflictChoiceProps {
  conflict: RpcError;
  choose: (event: Event, choice: "ours" | "theirs") => Promise<void>;
  cancel: () => void;
}

/** Another session committed samples that are edited here: whose values stay is chosen, nothing is lost unasked. */
export function ConflictChoice({ conflict, choose, cancel }: ConflictChoiceProps) {
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => root.current?.querySelector<HTMLElement>("button")?.focus({ preventScroll: true }), []);
  const shown = conflict.conflicts ?? [];
  const total = conflict.num_conflicts ?? shown.length;
  return (
    <div
      ref={root}
      class="penstock-conflict"
      role="alertdialog"
      aria-label="Conflict with another session"
      data-testid="penstock-conflict"
    >
      <p>
        Another session has committed {total === 1 ? "a value" : `${countText(total)} values`} that you also changed.
        Nothing is committed yet.
      </p>
      <div class="penstock-conflict-list">
        <table class="penstock-fields">
          <thead>
            <tr>
              <th scope="col">sample</th>
              <th scope="col">object</th>
              <th scope="col">tensor</th>
              <th scope="col">before</th>
              <th scope="col">mine</th>
              <th scope="col">theirs</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((one, i) => (
              <tr key={i}>
                <td class="penstock-number">{one.row === null ? "–" : countText(one.row)}</td>
                <td class="penstock-number">{one.object == null ? "–" : countText(one.object)}</td>
                <td>{one.tensor}</td>
                <td title={one.base}>{one.base}</td>
                <td title={one.ours}>{one.ours}</td>
                <td title={one.theirs}>{one.theirs}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {total > shown.length ? <p class="penstock-note">and {pluralText(total - shown.length, "more value")}</p> : null}
      <div class="penstock-row">
        <button
          {...focusable}
          type="button"
          class="penstock-button"
          data-testid="penstock-keep-mine"
          onClick={(event) => void choose(event, "ours")}
        >
          Commit mine
        </button>
        <button
          {...focusable}
          type="button"
          class="penstock-button"
          data-testid="penstock-take-theirs"
          onClick={(event) => void choose(event, "theirs")}
        >
          Keep theirs, commit the rest
        </button>
        <button {...focusable} type="button" class="penstock-link" onClick={cancel}>
          Decide later
        </button>
      </div>
    </div>
  );
}
