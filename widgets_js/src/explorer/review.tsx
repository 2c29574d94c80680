import { ClassPicker } from "../detail/class-picker.tsx";
import * as intervals from "../grid/intervals.ts";
import { focusable } from "../shared/focus.ts";
import { count, plural } from "../shared/format.ts";
import { Popover } from "../shared/popover.tsx";
import type { Session } from "../shared/session.ts";

/** What is selected and edited, and what can be done to it at once. */
export function Review({ session }: { session: Session }) {
  const { store, grid, edits } = session;
  const chosen = intervals.size(grid.selection.value);
  const dataset = store.dataset.value;
  if (dataset === null) return null;
  const editable = !dataset.read_only && dataset.label_tensor !== null && store.isLive.value;
  const bulk = (add: number[], remove: number[], close: () => void): void => {
    close();
    void edits.apply("edit.bulk", { add, remove });
  };
  return (
    <div data-testid="penstock-review">
      <h3>Review</h3>
      <p class="penstock-note">
        {count(chosen)} selected · {plural(dataset.num_edits, "edit")}
      </p>
      <div class="penstock-pills">
        {editable && chosen > 0 ? (
          <>
            <Popover
              class="penstock-pill"
              label="+ class"
              testid="penstock-bulk-add"
              title={`add a class to ${count(chosen)} samples`}
            >
              {(close) => (
                <ClassPicker
                  names={store.classNames.value}
                  label={`Class to add to ${count(chosen)} samples`}
                  onChoose={(label) => bulk([label], [], close)}
                />
              )}
            </Popover>
            <Popover class="penstock-pill" label="− class" title={`take a class off ${count(chosen)} samples`}>
              {(close) => (
                <ClassPicker
                  names={store.classNames.value}
                  label={`Class to take off ${count(chosen)} samples`}
                  onChoose={(label) => bulk([], [label], close)}
                />
              )}
            </Popover>
            <button {...focusable} type="button" class="penstock-pill" onClick={() => grid.clear()}>
              deselect
            </button>
          </>
        ) : null}
        <button
          {...focusable}
          type="button"
          class="penstock-pill"
          disabled={dataset.can_undo === null}
          title={dataset.can_undo ?? "nothing to undo"}
          onClick={() => void store.actions.undo()}
        >
          ↶ undo
        </button>
        <button
          {...focusable}
          type="button"
          class="penstock-pill"
          disabled={dataset.can_redo === null}
          title={dataset.can_redo ?? "nothing to redo"}
          onClick={() => void store.actions.redo()}
        >
          ↷ redo
        </button>
      </div>
    </div>
  );
}
