import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { chips, isPaired, withoutClass } from "../session/labels.ts";
import type { Session } from "../session/session.ts";
import type { ShownSample } from "../session/shown-sample.ts";
import { focusable } from "../ui/focus.ts";
import { Popover } from "../ui/popover.tsx";
import { ClassChoices, ClassMark } from "./class-choices.tsx";

interface Props {
  session: Session;
  sample: ShownSample;
  /** The list of classes is beside the image; else a chip opens it. */
  listed?: boolean;
}

/** A chip a class: its name opens the list of classes, × removes it. One stop of the Tab key, arrows walk it. */
export function Chips({ session, sample, listed = false }: Props) {
  const { store, detail, labeling } = session;
  const dataset = store.dataset.value;
  const root = useRef<HTMLDivElement>(null);
  if (dataset === null || dataset.label_tensor === null)
    return <p class="penstock-note">This dataset has no class labels.</p>;
  const shown = detail.showBefore.value && sample.before ? sample.before : sample;
  const { editable } = labeling;
  const paired = isPaired(shown, dataset.paired);
  const one = dataset.single_label && sample.labels.length > 0;
  const chosen = paired && detail.selectedBox.value !== null ? shown.labels[detail.selectedBox.value] : undefined;
  return (
    <div
      ref={root}
      class="penstock-labels"
      role="group"
      aria-label="Class labels"
      data-testid="penstock-labels"
      onKeyDown={(event) => walk(event, root.current)}
    >
      {chips(shown.labels).map((chip, i) => (
        <Chip
          key={chip.label}
          session={session}
          label={chip.label}
          times={chip.count}
          on={chip.label === chosen}
          first={i === 0}
          editable={editable && shown === sample}
          listed={listed}
        />
      ))}
      {editable && dataset.paired && dataset.box_tensor !== null ? (
        <DrawChip session={session} first={shown.labels.length === 0} />
      ) : null}
      {editable && !dataset.paired && !one ? (
        <AddChip session={session} listed={listed} first={shown.labels.length === 0} />
      ) : null}
    </div>
  );
}

function walk(event: KeyboardEvent, root: HTMLElement | null): void {
  const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
  const buttons = [...(root?.querySelectorAll<HTMLElement>("[data-chip], [data-cell=chip]") ?? [])];
  const at = buttons.indexOf(event.target as HTMLElement);
  if (by === 0 || at < 0) return;
  buttons[at + by]?.focus();
  event.preventDefault();
  event.stopPropagation();
}

interface ChipProps {
  session: Session;
  label: number;
  times: number;
  on: boolean;
  first: boolean;
  editable: boolean;
  listed: boolean;
}

function Chip({ session, label, times, on, first, editable, listed }: ChipProps) {
  const { store, detail, labeling } = session;
  const name = store.classNames.value[label] ?? `class ${label}`;
  const off = store.hiddenClasses.value.has(label);
  const aim = () => pickFor(session, label);
  const body = (
    <>
      <ClassMark label={label} />
      <span class="penstock-label-text">{name}</span>
      {times > 1 ? <span class="penstock-number">×{times}</span> : null}
    </>
  );
  const title = `change ${name} (C)`;
  const remove = (): void => {
    detail.selectedBox.value = null;
    labeling.done();
    void detail.edit((now) => withoutClass(now, label, store.dataset.value?.paired ?? false));
  };
  return (
    <span
      class={`penstock-label${off ? " penstock-off" : ""}${on ? " penstock-on" : ""}`}
      data-label={name}
      data-count={times}
    >
      {!editable ? (
        <span class="penstock-label-name">{body}</span>
      ) : listed ? (
        <button
          {...focusable}
          type="button"
          class="penstock-label-name"
          data-chip=""
          tabIndex={first ? 0 : -1}
          title={title}
          aria-haspopup="listbox"
          onClick={aim}
        >
          {body}
        </button>
      ) : (
        <PickerPopover
          session={session}
          class="penstock-label-name"
          label={body}
          title={title}
          first={first}
          onOpen={aim}
        />
      )}
      {editable ? (
        <button
          {...focusable}
          type="button"
          class="penstock-remove"
          data-chip=""
          tabIndex={-1}
          aria-label={`Remove ${name}`}
          title={times > 1 ? `remove all ${times}` : "remove"}
          onClick={remove}
        >
          ✕
        </button>
      ) : null}
    </span>
  );
}

/** A chip stands for one box where it is the chosen one or the only one, else for all boxes of its class. */
function pickFor({ detail, labeling, store }: Session, label: number): void {
  const sample = detail.sample.value;
  if (sample === null) return;
  const places = sample.labels.flatMap((one, i) => (one === label ? [i] : []));
  const chosen = detail.selectedBox.value;
  const paired = isPaired(sample, store.dataset.value?.paired ?? false);
  const box = chosen !== null && places.includes(chosen) ? chosen : places.length === 1 ? places[0] : undefined;
  if (paired && box !== undefined) {
    detail.selectedBox.value = box;
    labeling.pick({ kind: "box", index: box });
  } else labeling.pick({ kind: "class", label });
}

/** A label needs a box here: it is drawn, with the class that is written. */
function DrawChip({ session, first }: { session: Session; first: boolean }) {
  const { store, detail } = session;
  const label = detail.drawLabel();
  return (
    <button
      {...focusable}
      type="button"
      class="penstock-label penstock-add-label"
      data-chip=""
      tabIndex={first ? 0 : -1}
      aria-pressed={detail.drawing.value}
      title="each label has a box in this dataset: draw it (N), then choose its class (1–9 or C)"
      data-testid="penstock-draw"
      onClick={() => {
        detail.drawing.value = !detail.drawing.value;
        detail.focusStage();
      }}
    >
      draw a box
      {label === null ? null : (
        <span class="penstock-draw-class" data-testid="penstock-draw-class">
          <ClassMark label={label} /> {store.classNames.value[label]}
        </span>
      )}
    </button>
  );
}

function AddChip({ session, listed, first }: { session: Session; listed: boolean; first: boolean }) {
  const { labeling } = session;
  if (!listed)
    return (
      <PickerPopover
        session={session}
        class="penstock-label penstock-add-label"
        label="+ class"
        title="add a class (C)"
        testid="penstock-add-class"
        first={first}
        onOpen={() => labeling.pick()}
      />
    );
  return (
    <button
      {...focusable}
      type="button"
      class="penstock-label penstock-add-label"
      data-chip=""
      tabIndex={first ? 0 : -1}
      title="add a class (C)"
      data-testid="penstock-add-class"
      onClick={() => labeling.pick()}
    >
      + class
    </button>
  );
}

interface PickerProps {
  session: Session;
  class: string;
  label: preact.ComponentChildren;
  title: string;
  testid?: string;
  first: boolean;
  onOpen: () => void;
}

/** A button that opens the list of classes over everything. */
function PickerPopover({ session, label, title, testid, first, onOpen, class: kind }: PickerProps) {
  const known = testid === undefined ? {} : { testid };
  return (
    <Popover class={kind} label={label} title={title} cell="chip" tabIndex={first ? 0 : -1} {...known}>
      {(close) => <OpenedChoices session={session} onOpen={onOpen} close={close} />}
    </Popover>
  );
}

function OpenedChoices({ session, onOpen, close }: { session: Session; onOpen: () => void; close: () => void }) {
  const [focus, setFocus] = useState(0);
  useLayoutEffect(() => {
    onOpen();
    setFocus(1);
    return () => session.labeling.done();
  }, []);
  return <ClassChoices session={session} focus={focus} onDone={close} />;
}
