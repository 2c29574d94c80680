import { useState } from "preact/hooks";
import type { Session } from "../session/session.ts";
import { focusable } from "../ui/focus.ts";
import { pluralText } from "../ui/number-text.ts";
import { Popover } from "../ui/popover.tsx";
import { Form, Reason } from "./class-form.tsx";
import { whyFixed } from "./class-menu.tsx";

/** ⋯ of the list of classes: add one, delete all that are empty. */
export function ClassTools({ session }: { session: Session }) {
  return (
    <Popover label="⋯" class="penstock-more" title="add and delete classes" testid="penstock-class-tools">
      {(close) => <Tools session={session} close={close} />}
    </Popover>
  );
}

const NAMED = 6;

function Tools({ session, close }: { session: Session; close: () => void }) {
  const { store, edits } = session;
  const [name, setName] = useState("");
  const [fault, setFault] = useState<string | null>(null);
  const off = whyFixed(session);
  const dataset = store.dataset.value;
  const empty = store.classNames.value.filter((_, index) => (dataset?.class_counts[index] ?? 0) === 0);
  const things = dataset?.paired ? "objects" : "labels";
  const done = (reason: string | null): void => {
    if (reason === null) close();
    else setFault(reason);
  };
  return (
    <div class="penstock-class-form" data-testid="penstock-class-form">
      <Form
        submit="Add class"
        off={off !== null || name.trim() === ""}
        onSubmit={async () => done(await edits.tryTo("edit.new_class", { name: name.trim() }))}
        testid="penstock-class-add"
      >
        <label>
          New class, without {things} yet
          <input
            {...focusable}
            class="penstock-field"
            value={name}
            maxLength={200}
            disabled={off !== null}
            data-testid="penstock-class-name"
            onInput={(event) => {
              setName(event.currentTarget.value);
              setFault(null);
            }}
          />
        </label>
        <Reason bad={fault !== null}>{fault ?? off ?? ""}</Reason>
      </Form>
      <hr />
      <p class="penstock-note" data-testid="penstock-empty-classes">
        {empty.length === 0
          ? `Every class has ${things}.`
          : `${pluralText(empty.length, "class has", "classes have")} no ${things}: ${listed(empty)}.`}
      </p>
      <div class="penstock-row penstock-form-end">
        <button
          {...focusable}
          type="button"
          class="penstock-button"
          disabled={off !== null || empty.length === 0}
          data-testid="penstock-delete-empty"
          onClick={async () => done(await edits.tryTo("classes.remove", { names: empty }))}
        >
          {empty.length === 1
            ? "Delete the empty class"
            : `Delete ${empty.length || ""} empty classes`.replace("  ", " ")}
        </button>
      </div>
    </div>
  );
}

function listed(names: string[]): string {
  const more = names.length - NAMED;
  return names.slice(0, NAMED).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
