import type { Session } from "../session/session.ts";
import { pointsOf } from "../session/shapes.ts";

/** Left out where there is no room. */
const MORE = new Set(["copy", "resize", "zoom", "back"]);

type KeyText = readonly [keys: readonly string[], what: string];

/** The keys that work on what is selected: the image, one of its boxes, or a point of it. */
export function KeysLine({ session, alone }: { session: Session; alone: boolean }) {
  const dataset = session.store.dataset.value;
  if (dataset === null) return <p class="penstock-keys" />;
  const why = session.store.page.value?.why ?? "Read-only: labels cannot be changed.";
  const held =
    (dataset.holder ?? null) === null ? null : "Another process has unsaved edits: labels cannot be changed.";
  const reading = dataset.read_only ? (held ?? why) : null;
  return (
    <p class="penstock-keys" data-testid="penstock-keys">
      {reading === null ? null : <span>{reading}</span>}
      {keysOf(session, alone).map(([keys, what]) => (
        <span key={what} class={MORE.has(what) ? "penstock-key-more" : ""}>
          {keys.map((key) => (key === "–" ? "–" : <kbd key={key}>{key}</kbd>))} {what}
        </span>
      ))}
    </p>
  );
}

function keysOf(session: Session, alone: boolean): KeyText[] {
  const dataset = session.store.dataset.value;
  const sample: KeyText[] = [
    [["←", "→"], "sample"],
    [["U"], "unlabeled"],
    [["B"], "before"],
    [["Z"], "zoom"],
  ];
  const back: KeyText[] = alone ? [] : [[["Esc"], "back"]];
  if (dataset?.read_only || dataset === null) return [...sample, ...back];
  return [...editKeys(session), ...sample, [["Ctrl Z"], "undo"], ...back];
}

function editKeys({ store, detail, labeling }: Session): KeyText[] {
  const dataset = store.dataset.value;
  const labeled = dataset?.label_tensor != null;
  const what = { box: "class", class: "class", image: "class", labels: "toggle class", next: "class to draw" };
  const classes: KeyText[] = labeled
    ? [
        [["1", "–", "9"], what[labeling.aim.value.kind]],
        [["C"], "find class"],
      ]
    : [];
  if (dataset?.box_tensor == null) return classes;
  const index = detail.selectedBox.value;
  if (index === null) return [...classes, [["N"], "draw"], [["Tab"], "next box"]];
  const point = detail.selectedPoint.value;
  const shape = detail.sample.value?.drawn.objects.get(index);
  if (point !== null && point.box === index && shape !== undefined)
    return [
      [["← ↑ → ↓"], "move"],
      ...("keypoint" in point.point
        ? ([[["V"], "visibility"]] as KeyText[])
        : ([
            [["I"], "add"],
            [["Del"], "remove"],
          ] as KeyText[])),
      [["Tab"], "next point"],
      ...(shape.polygons.length + (shape.points === null ? 0 : 1) > 1 ? ([[["Enter"], "next part"]] as KeyText[]) : []),
    ];
  return [
    ...classes,
    [["N"], "draw"],
    [["Del"], "remove"],
    [["Tab"], "next box"],
    [["W A S D"], "move"],
    [["Q E R F"], "resize"],
    [["V"], "copy"],
    ...(shape !== undefined && pointsOf(shape).length > 0 ? ([[["Enter"], "edit points"]] as KeyText[]) : []),
  ];
}
