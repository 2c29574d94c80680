import { describeChange } from "../session/labels.ts";
import type { Session } from "../session/session.ts";
import type { ShownSample } from "../session/shown-sample.ts";
import { Switch } from "../ui/switch.tsx";

/** What the edits of a sample that are not committed have changed, in words. */
export function EditedLine({ session, sample }: { session: Session; sample: ShownSample }) {
  if (sample.before === null) return null;
  const words = describeChange(sample.before, sample, session.store.classNames.value);
  return (
    <p class="penstock-edited-line" title={words} data-testid="penstock-edited">
      <b>Edited</b> {words === "" ? "same as committed" : words}
    </p>
  );
}

export function BeforeAfter({ session, sample }: { session: Session; sample: ShownSample }) {
  const { detail } = session;
  if (sample.before === null) return null;
  return (
    <Switch
      label="Labels"
      options={[
        { value: "before", label: "before", title: "as committed (hold B)" },
        { value: "after", label: "after" },
      ]}
      value={detail.showBefore.value ? "before" : "after"}
      testid="penstock-before-after"
      onChange={(value) => {
        detail.showBefore.value = value === "before";
      }}
    />
  );
}
