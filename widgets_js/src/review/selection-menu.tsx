import { useState } from "preact/hooks";
import { ClassPicker } from "../detail/class-picker.tsx";
import type { Session } from "../session/session.ts";
import { focusable } from "../ui/focus.ts";
import { countText, pluralText } from "../ui/number-text.ts";
import { Popover } from "../ui/popover.tsx";

type What = "replace" | "add" | "remove";

/** What can be done to all selected samples at once; nothing where none is selected. */
export function SelectionMenu({ session }: { session: Session }) {
  const { store, grid } = session;
  const chosen = grid.numSelected.value;
  if (chosen === 0 || store.dataset.value === null) return null;
  return (
    <Popover
      class="penstock-opener penstock-selected"
      label={`${countText(chosen)} selected ▾`}
      title="relabel, add or remove classes in all selected samples"
      testid="penstock-selection-menu"
    >
      {(close) => <Selection session={session} chosen={chosen} close={close} />}
    </Popover>
  );
}

/** A label that has a box cannot be added without one: there whole objects are relabeled and removed. */
function Selection({ session, chosen, close }: { session: Session; chosen: number; close: () => void }) {
  const { store, grid, edits } = session;
  const [what, setWhat] = useState<What>("replace");
  const dataset = store.dataset.value;
  const samples = pluralText(chosen, "sample");
  const paired = dataset?.paired ?? false;
  const fixed =
    dataset?.label_tensor == null
      ? "There are no class labels to change."
      : dataset.read_only
        ? (dataset.holder ?? null) === null
          ? "The dataset is read-only."
          : "Another process has unsaved edits."
        : store.isLive.value
          ? null
          : "Edits wait for the kernel.";
  const bulk = (change: { add?: number[]; remove?: number[]; replace?: { from: number; to: number }[] }): void => {
    close();
    grid.settle();
    void edits.apply("edit.bulk", { add: [], remove: [], ...change });
  };
  const kinds: { value: What; label: string; title: string; off?: boolean }[] = [
    { value: "replace", label: "A → B", title: `replace a class by another in ${samples}` },
    {
      value: "add",
      label: "+ class",
      title: paired ? "each label has a box in this dataset; draw the boxes one by one" : `add a class to ${samples}`,
      off: paired,
    },
    {
      value: "remove",
      label: "− class",
      title: paired ? `remove every object of a class from ${samples}` : `remove a class from ${samples}`,
    },
  ];
  return (
    <div class="penstock-selection" data-testid="penstock-selection">
      <div class="penstock-row">
        <b>{samples} selected</b>
        <span class="penstock-grow" />
        <button
          {...focusable}
          type="button"
          class="penstock-link"
          data-testid="penstock-deselect"
          onClick={() => {
            close();
            grid.clear();
          }}
        >
          deselect
        </button>
      </div>
      {fixed === null ? (
        <>
          <fieldset class="penstock-pills" aria-label={`Change ${samples}`}>
            {kinds.map(({ value, label, title, off = false }) => (
              <button
                {...focusable}
                key={value}
                type="button"
                class="penstock-pill"
                aria-pressed={what === value}
                disabled={off}
                title={title}
                data-testid={`penstock-bulk-${value}`}
                onClick={() => setWhat(value)}
              >
                {label}
              </button>
            ))}
          </fieldset>
          <Change key={what} what={what} names={store.classNames.value} samples={samples} apply={bulk} />
        </>
      ) : (
        <p class="penstock-note">{fixed}</p>
      )}
    </div>
  );
}

interface ChangeProps {
  what: What;
  names: readonly string[];
  samples: string;
  apply: (change: { add?: number[]; remove?: number[]; replace?: { from: number; to: number }[] }) => void;
}

function Change({ what, names, samples, apply }: ChangeProps) {
  const [from, setFrom] = useState<number | null>(null);
  if (what === "add")
    return (
      <ClassPicker names={names} label={`Class to add to ${samples}`} onChoose={(label) => apply({ add: [label] })} />
    );
  if (what === "remove")
    return (
      <ClassPicker
        names={names}
        label={`Class to remove from ${samples}`}
        onChoose={(label) => apply({ remove: [label] })}
      />
    );
  if (from === null)
    return (
      <>
        <p class="penstock-note">Replace class A …</p>
        <ClassPicker key="from" names={names} label={`Class to replace in ${samples}`} onChoose={setFrom} />
      </>
    );
  return (
    <>
      <p class="penstock-note">
        … <b>{names[from]}</b> by class B
      </p>
      <ClassPicker
        key="to"
        names={names}
        label={`Class to use instead of ${names[from] ?? ""}`}
        onChoose={(to) => apply({ replace: [{ from, to }] })}
      />
    </>
  );
}
