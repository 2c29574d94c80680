import { useState } from "preact/hooks";
import { ClassPicker } from "../detail/class-picker.tsx";
import type { Session } from "../session/session.ts";
import { focusable } from "../ui/focus.ts";
import { countText, pluralText } from "../ui/number-text.ts";
import { Popover } from "../ui/popover.tsx";

/** What is selected and edited, and what can be done to it at once. */
export function Review({ session }: { session: Session }) {
  const { store, grid } = session;
  const chosen = grid.numSelected.value;
  const dataset = store.dataset.value;
  if (dataset === null) return null;
  const editable = !dataset.read_only && dataset.label_tensor !== null && store.isLive.value;
  return (
    <div data-testid="penstock-review">
      <h3>Review</h3>
      <p class="penstock-note">
        {countText(chosen)} selected · {pluralText(dataset.num_edits, "edit")}
      </p>
      <div class="penstock-pills">
        {editable && chosen > 0 ? <Bulk session={session} chosen={chosen} paired={dataset.paired} /> : null}
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

/** A label that has a box cannot be added without one: there whole objects are relabeled and removed. */
function Bulk({ session, chosen, paired }: { session: Session; chosen: number; paired: boolean }) {
  const { store, grid, edits } = session;
  const names = store.classNames.value;
  const samples = pluralText(chosen, "sample");
  const bulk = (
    change: { add?: number[]; remove?: number[]; replace?: { from: number; to: number }[] },
    close: () => void,
  ): void => {
    close();
    grid.settle();
    void edits.apply("edit.bulk", { add: [], remove: [], ...change });
  };
  return (
    <>
      {paired ? (
        <button
          {...focusable}
          type="button"
          class="penstock-pill"
          disabled
          title="each label has a box in this dataset; draw the boxes one by one"
        >
          + class
        </button>
      ) : (
        <Popover class="penstock-pill" label="+ class" testid="penstock-bulk-add" title={`add a class to ${samples}`}>
          {(close) => (
            <ClassPicker
              names={names}
              label={`Class to add to ${samples}`}
              onChoose={(label) => bulk({ add: [label] }, close)}
            />
          )}
        </Popover>
      )}
      <Popover
        class="penstock-pill"
        label="− class"
        testid="penstock-bulk-remove"
        title={paired ? `remove every object of a class from ${samples}` : `remove a class from ${samples}`}
      >
        {(close) => (
          <ClassPicker
            names={names}
            label={`Class to remove from ${samples}`}
            onChoose={(label) => bulk({ remove: [label] }, close)}
          />
        )}
      </Popover>
      <Popover
        class="penstock-pill"
        label="A → B"
        testid="penstock-bulk-replace"
        title={`replace a class by another in ${samples}`}
      >
        {(close) => (
          <Replace names={names} samples={samples} choose={(from, to) => bulk({ replace: [{ from, to }] }, close)} />
        )}
      </Popover>
      <button {...focusable} type="button" class="penstock-pill" onClick={() => grid.clear()}>
        deselect
      </button>
    </>
  );
}

interface ReplaceProps {
  names: readonly string[];
  samples: string;
  choose: (from: number, to: number) => void;
}

function Replace({ names, samples, choose }: ReplaceProps) {
  const [from, setFrom] = useState<number | null>(null);
  if (from === null)
    return <ClassPicker key="from" names={names} label={`Class to replace in ${samples}`} onChoose={setFrom} />;
  return (
    <ClassPicker
      key="to"
      names={names}
      label={`Class to use instead of ${names[from] ?? ""}`}
      onChoose={(to) => choose(from, to)}
    />
  );
}
