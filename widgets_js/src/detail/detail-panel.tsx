import { useEffect, useRef } from "preact/hooks";
import type { ShownSample as SampleDetail } from "../session/detail-session.ts";
import * as intervals from "../session/intervals.ts";
import { chips, describeChange, isPaired, withClass, withOther, withoutBox, withoutClass } from "../session/labels.ts";
import type { Session } from "../session/session.ts";
import { type ObjectShape, pointsOf } from "../session/shapes.ts";
import { classColor } from "../ui/colors.ts";
import { focusable } from "../ui/focus.ts";
import { countText } from "../ui/number-text.ts";
import { Popover } from "../ui/popover.tsx";
import { ClassPicker } from "./class-picker.tsx";
import { Stage } from "./stage.tsx";

/** One sample: its image with boxes, its classes as chips, its other tensors. */
export function DetailPanel({ session }: { session: Session }) {
  const { store, detail } = session;
  const root = useRef<HTMLElement>(null);
  useEffect(() => {
    session.grid.openDetail = () => root.current?.querySelector<HTMLElement>(".penstock-stage")?.focus();
  }, [session]);
  const relabel = (): void => root.current?.querySelector<HTMLElement>("[data-testid=penstock-relabel]")?.click();
  const sample = detail.sample.value;
  const imageless = store.dataset.value?.image_tensor === null;
  if (store.gridSize.value === 0 && sample === null) return null;
  return (
    <section
      class={`penstock-detail${imageless ? " penstock-imageless" : ""}`}
      ref={root}
      aria-label="Sample"
      data-testid="penstock-detail"
      data-uid={sample?.uid}
    >
      {imageless ? null : <Stage session={session} relabel={relabel} />}
      <div class="penstock-facts">
        {sample === null ? (
          <p class="penstock-note">
            {detail.fault.value ?? (store.isLive.value ? "" : "Images need a running kernel.")}
          </p>
        ) : (
          <>
            <Title session={session} sample={sample} />
            <Chips session={session} sample={sample} />
            <SelectedBox session={session} sample={sample} />
            <Edited session={session} sample={sample} />
            {sample.note === null ? null : <p class="penstock-note penstock-warned">{sample.note}</p>}
            <Keys session={session} sample={sample} />
            <Fields sample={sample} box={detail.selectedBox.value} />
          </>
        )}
      </div>
    </section>
  );
}

function Title({ session, sample }: { session: Session; sample: SampleDetail }) {
  const { store, grid } = session;
  const selection = grid.selection.value;
  const chosen = intervals.size(selection);
  const within = chosen > 1 && intervals.has(selection, sample.position);
  const target = (by: 1 | -1): number | null => {
    if (within) return intervals.step(selection, sample.position, by);
    const next = sample.position + by;
    return next >= 0 && next < store.gridSize.value ? next : null;
  };
  const step = (by: 1 | -1) => {
    const next = target(by);
    return (
      <button
        {...focusable}
        type="button"
        class="penstock-step"
        aria-label={by === 1 ? "Next sample" : "Previous sample"}
        disabled={next === null}
        onClick={() => {
          if (next !== null) store.current.value = next;
        }}
      >
        {by === 1 ? "▶" : "◀"}
      </button>
    );
  };
  return (
    <div class="penstock-row penstock-detail-title">
      <b>sample {countText(sample.row)}</b>
      <span class="penstock-grow" />
      <span class="penstock-number penstock-nowrap">
        {step(-1)} {countText((within ? intervals.rank(selection, sample.position) : sample.position) + 1)} of{" "}
        {countText(within ? chosen : store.gridSize.value)} {step(1)}
      </span>
    </div>
  );
}

function Chips({ session, sample }: { session: Session; sample: SampleDetail }) {
  const { store, detail, edits } = session;
  const dataset = store.dataset.value;
  if (dataset === null || dataset.label_tensor === null)
    return <p class="penstock-note">This dataset has no class labels.</p>;
  const shown = detail.showBefore.value && sample.before ? sample.before : sample;
  const editable = !dataset.read_only && shown === sample && store.isLive.value;
  const { paired } = dataset;
  const boxed = isPaired(shown, paired) && shown.boxes.length > 0;
  const add = (label: number, close: () => void): void => {
    close();
    detail.drawClass.value = label;
    void detail
      .edit((now) => withClass(now, label, now, paired))
      .then((done) => {
        const boxes = detail.sample.value?.boxes.length ?? 0;
        if (done && isPaired(sample, paired) && boxes > 0) detail.selectedBox.value = boxes / 4 - 1;
      });
  };
  const create = async (name: string, close: () => void): Promise<void> => {
    close();
    const reply = await edits.apply("edit.new_class", { name });
    const label = reply?.dataset.class_names.indexOf(name) ?? -1;
    if (label >= 0) add(label, () => {});
  };
  return (
    <div class="penstock-labels" role="group" aria-label="Class labels" data-testid="penstock-labels">
      {chips(shown.labels).map((chip) => (
        <LabelChip
          key={chip.label}
          session={session}
          label={chip.label}
          times={chip.count}
          boxed={boxed}
          editable={editable}
        />
      ))}
      {editable ? (
        <Popover
          class="penstock-label penstock-add-label"
          label="+ class"
          testid="penstock-add-class"
          title={
            isPaired(sample, paired) && dataset.box_tensor !== null
              ? "add an object; its box starts in the middle"
              : "add a class label"
          }
        >
          {(close) => (
            <ClassPicker
              names={store.classNames.value}
              label="Class to add"
              onChoose={(label) => add(label, close)}
              onNew={(name) => void create(name, close)}
            />
          )}
        </Popover>
      ) : null}
    </div>
  );
}

interface LabelChipProps {
  session: Session;
  label: number;
  times: number;
  boxed: boolean;
  editable: boolean;
}

function LabelChip({ session, label, times, boxed, editable }: LabelChipProps) {
  const { store, detail } = session;
  const name = store.classNames.value[label] ?? `class ${label}`;
  const off = store.hiddenClasses.value.has(label);
  const body = (
    <>
      <span class="penstock-dot" style={{ background: classColor(label) }} />
      {name}
      {times > 1 ? <span class="penstock-number"> ×{times}</span> : null}
    </>
  );
  return (
    <span class={`penstock-label${off ? " penstock-off" : ""}`} data-label={name}>
      {boxed ? (
        <button
          {...focusable}
          type="button"
          class="penstock-label-name"
          aria-pressed={!off}
          title={off ? `show the boxes of ${name}` : `hide the boxes of ${name}`}
          onClick={() => store.actions.toggleClass(label)}
        >
          {body}
        </button>
      ) : (
        <span class="penstock-label-name">{body}</span>
      )}
      {editable ? (
        <button
          {...focusable}
          type="button"
          class="penstock-remove"
          aria-label={`Remove ${name}`}
          title={times > 1 ? `remove all ${times}` : "remove"}
          onClick={() => void detail.edit((now) => withoutClass(now, label, store.dataset.value?.paired ?? false))}
        >
          ✕
        </button>
      ) : null}
    </span>
  );
}

function SelectedBox({ session, sample }: { session: Session; sample: SampleDetail }) {
  const { store, detail } = session;
  const index = detail.selectedBox.value;
  const total = sample.boxes.length / 4;
  if (index === null || index >= total || detail.showBefore.value) return null;
  const paired = store.dataset.value?.paired ?? false;
  const label = isPaired(sample, paired) ? sample.labels[index] : undefined;
  const editable = store.dataset.value?.read_only === false;
  const set = (next: number, close: () => void): void => {
    close();
    detail.drawClass.value = next;
    void detail.edit((now) => withOther(now, index, next, paired));
  };
  const remove = (): void => {
    detail.selectedBox.value = null;
    void detail.edit((now) => withoutBox(now, index, paired));
  };
  return (
    <div class="penstock-row penstock-selected-box">
      <span class="penstock-number penstock-nowrap">
        box {index + 1} of {total}
      </span>
      {editable && label !== undefined ? (
        <Popover
          class="penstock-pill"
          testid="penstock-relabel"
          label={
            <>
              <span class="penstock-dot" style={{ background: classColor(label) }} /> {store.classNames.value[label]} ▾
            </>
          }
        >
          {(close) => (
            <ClassPicker
              names={store.classNames.value}
              label="New class of the box"
              onChoose={(next) => set(next, close)}
            />
          )}
        </Popover>
      ) : null}
      {editable ? (
        <button {...focusable} type="button" class="penstock-pill" onClick={remove}>
          delete
        </button>
      ) : null}
    </div>
  );
}

function Edited({ session, sample }: { session: Session; sample: SampleDetail }) {
  const { store, detail } = session;
  if (sample.before === null) return null;
  const words = describeChange(sample.before, sample, store.classNames.value);
  const showing = detail.showBefore.value;
  return (
    <p class="penstock-note" data-testid="penstock-edited">
      <b>Edited:</b> {words === "" ? "same as committed" : words}.{" "}
      <button
        {...focusable}
        type="button"
        class="penstock-link"
        aria-pressed={showing}
        onClick={() => (detail.showBefore.value = true)}
      >
        {showing ? <b>before</b> : "before"}
      </button>
      {" | "}
      <button
        {...focusable}
        type="button"
        class="penstock-link"
        aria-pressed={!showing}
        onClick={() => (detail.showBefore.value = false)}
      >
        {showing ? "after" : <b>after</b>}
      </button>
    </p>
  );
}

function Fields({ sample, box }: { sample: SampleDetail; box: number | null }) {
  const size = sample.error === null && sample.width > 0 ? `${sample.width} × ${sample.height} px` : null;
  return (
    <table class="penstock-fields">
      <tbody>
        {size === null ? null : (
          <tr>
            <th scope="row">image</th>
            <td>{size}</td>
          </tr>
        )}
        {sample.fields.map((field) => (
          <tr key={`${field.name} ${field.htype}`}>
            <th scope="row" title={field.htype}>
              {field.name}
            </th>
            <td title={field.value}>{(box === null ? undefined : field.each?.[box]) ?? field.value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Keys({ session, sample }: { session: Session; sample: SampleDetail }) {
  const { store, detail } = session;
  const dataset = store.dataset.value;
  if (dataset === null || dataset.read_only)
    return <p class="penstock-note">{store.page.value?.why ?? "Read-only: editing is not available."}</p>;
  if (dataset.box_tensor === null) return null;
  return (
    <p class="penstock-note penstock-keys">
      <button
        {...focusable}
        type="button"
        class="penstock-pill"
        aria-pressed={detail.drawing.value}
        data-testid="penstock-draw"
        onClick={() => {
          detail.drawing.value = !detail.drawing.value;
          session.grid.openDetail();
        }}
      >
        draw a box
      </button>
      {keysOf(session, sample).map(([key, what]) => (
        <span key={key}>
          <kbd>{key}</kbd> {what}
        </span>
      ))}
      <span>
        <kbd>Ctrl Z</kbd> undo
      </span>
    </p>
  );
}

/** The keys that work on what is selected: the sample, one of its objects, or a point of it. */
function keysOf({ detail }: Session, { drawn }: SampleDetail): [string, string][] {
  const index = detail.selectedBox.value;
  const chosen = detail.selectedPoint.value;
  if (index === null)
    return [
      ["N", "draw"],
      ["Tab", "select a box"],
    ];
  const shape = drawn.objects.get(index);
  if (chosen === null || chosen.box !== index || shape === undefined)
    return [
      ["C", "relabel"],
      ["W A S D", "move"],
      ["V", "copy"],
      ["Del", "delete"],
      ["Tab", "next box"],
      ...(isEditable(shape) ? [["Enter", "its points"] as [string, string]] : []),
    ];
  return [
    ["← ↑ → ↓", "move"],
    ...("keypoint" in chosen.point
      ? [["V", "visibility"] as [string, string]]
      : ([
          ["I", "add"],
          ["Del", "delete"],
        ] as [string, string][])),
    ["Tab", "next point"],
    ...(shape.polygons.length + (shape.points === null ? 0 : 1) > 1
      ? [["Enter", "next part"] as [string, string]]
      : []),
    ["Esc", "the box"],
  ];
}

const isEditable = (shape: ObjectShape | undefined): boolean => shape !== undefined && pointsOf(shape).length > 0;
