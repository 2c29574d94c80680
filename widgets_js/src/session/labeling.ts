// What a class that is chosen, by key or in a list, is given to: a box, all labels of a class, the image, the next box.
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { pluralText } from "../ui/number-text.ts";
import { ClassKeys } from "./class-keys.ts";
import type { DetailSession } from "./detail-session.ts";
import type { EditSession } from "./edit-session.ts";
import type { GridSession } from "./grid-session.ts";
import * as intervals from "./intervals.ts";
import { isPaired, withClass, withLabel, withOther, withoutClass, withReplaced } from "./labels.ts";
import { RpcFailure } from "./rpc.ts";
import type { Store } from "./store.ts";

/** "box": one box; "class": every label of a class; "image": its one label; "labels": on or off; "next": the next box. */
export type Aim =
  | { kind: "box"; index: number }
  | { kind: "class"; label: number }
  | { kind: "image" }
  | { kind: "labels" }
  | { kind: "next" };

export class Labeling {
  readonly keys: ClassKeys;
  /** What a chip was clicked for; null: what is natural. */
  readonly asked = signal<Aim | null>(null);
  /** What the next class is given to. */
  readonly aim: ReadonlySignal<Aim>;
  /** The list of classes is open, as a popup or with the caret in its field. */
  readonly picking = signal(false);
  private readonly store: Store;
  private readonly detail: DetailSession;
  private readonly grid: GridSession;
  private readonly edits: EditSession;

  constructor(store: Store, detail: DetailSession, grid: GridSession, edits: EditSession) {
    this.store = store;
    this.detail = detail;
    this.grid = grid;
    this.edits = edits;
    this.keys = new ClassKeys(store.classNames);
    this.aim = computed(() => this.asked.value ?? this.natural());
  }

  /** Whether classes can be given at all. */
  get editable(): boolean {
    const { store, detail } = this;
    const dataset = store.dataset.value;
    return (
      dataset !== null &&
      !dataset.read_only &&
      dataset.label_tensor !== null &&
      store.isLive.value &&
      !detail.showBefore.value
    );
  }

  private natural(): Aim {
    const sample = this.detail.sample.value;
    const dataset = this.store.dataset.value;
    if (sample !== null && dataset !== null && isPaired(sample, dataset.paired)) {
      const chosen = this.detail.selectedBox.value;
      if (this.detail.drawing.value) return { kind: "next" };
      if (chosen !== null && chosen < sample.labels.length) return { kind: "box", index: chosen };
      return sample.labels.length === 1 ? { kind: "box", index: 0 } : { kind: "next" };
    }
    return dataset?.single_label ? { kind: "image" } : { kind: "labels" };
  }

  /** What the next class is given to, in words. */
  aimText(): string {
    const aim = this.aim.value;
    const sample = this.detail.sample.value;
    if (aim.kind === "box") return `Class of box ${aim.index + 1} of ${sample?.labels.length ?? 0}`;
    if (aim.kind === "class") {
      const times = sample?.labels.filter((one) => one === aim.label).length ?? 0;
      const name = this.store.classNames.value[aim.label] ?? "";
      return times > 1 ? `Instead of ${name}, ${times} boxes` : `Instead of ${name}`;
    }
    if (aim.kind === "next") return "Class of the next box";
    return aim.kind === "image" ? "Class of the image" : "Classes of the image, on or off";
  }

  /** Give a class to what it is meant for. */
  async choose(label: number): Promise<boolean> {
    const { detail, store } = this;
    const aim = this.aim.value;
    const sample = detail.sample.value;
    this.done();
    if (!this.editable || sample === null) return false;
    this.keys.use(label);
    const paired = store.dataset.value?.paired ?? false;
    detail.drawClass.value = store.classNames.value[label] ?? null;
    switch (aim.kind) {
      case "next":
        store.actions.announce(`The next box: ${store.classNames.value[label]}`);
        return true;
      case "box":
        if (sample.labels[aim.index] === label) return true;
        return detail.edit((now) => withOther(now, aim.index, label, paired));
      case "class":
        if (aim.label === label) return true;
        return detail.edit((now) => withReplaced(now, aim.label, label, paired));
      case "image":
        if (sample.labels.length === 1 && sample.labels[0] === label) return true;
        return detail.edit((now) => withLabel(now, label));
      case "labels":
        return detail.edit((now) =>
          now.labels.includes(label) ? withoutClass(now, label, paired) : withClass(now, label, now, paired),
        );
    }
  }

  /** A key from 1 to 9; false where it stands for no class. */
  key(key: string): boolean {
    if (!/^[1-9]$/.test(key)) return false;
    const label = this.keys.classes.value[Number(key) - 1];
    if (label !== undefined) void this.choose(label);
    return true;
  }

  /** A class key over the grid: for what is selected there if the current sample is, else for the current sample. */
  gridKey(key: string): boolean {
    if (!/^[1-9]$/.test(key)) return false;
    const label = this.keys.classes.value[Number(key) - 1];
    const { store, detail, grid } = this;
    if (label === undefined || !this.editable) return true;
    const chosen = grid.selection.value;
    if (grid.numSelected.value > 1 && intervals.has(chosen, store.current.value ?? -1)) {
      void this.chooseForSelection(label);
      return true;
    }
    const boxes = (detail.sample.value?.boxes.length ?? 0) / 4;
    if (this.aim.value.kind === "next") {
      this.tell(
        `Sample ${detail.sample.value?.row ?? ""} has ${pluralText(boxes, "box", "boxes")}; press F and select one`,
      );
    } else void this.choose(label);
    return true;
  }

  private async chooseForSelection(label: number): Promise<void> {
    const dataset = this.store.dataset.value;
    if (dataset?.paired) {
      this.tell("Several samples are selected and each label has a box; A → B replaces a class in all of them");
      return;
    }
    this.keys.use(label);
    this.grid.settle();
    const others = this.store.classNames.value.map((_, index) => index).filter((index) => index !== label);
    await this.edits.apply("edit.bulk", { add: [label], remove: dataset?.single_label ? others : [] });
  }

  /** A class typed by name that does not exist yet. */
  async create(name: string): Promise<void> {
    const asked = this.asked.value;
    const uid = this.detail.sample.value?.uid;
    this.picking.value = false;
    const reply = await this.edits.apply("edit.new_class", { name });
    const label = reply?.dataset.class_names.indexOf(name) ?? -1;
    if (label < 0) return;
    if (this.detail.sample.value?.uid !== uid) {
      this.tell(`Added class ${name}; another sample is shown now, so no label was changed`);
      return;
    }
    this.asked.value = asked;
    await this.choose(label);
  }

  /** Open the list of classes for something; null: for what is natural. */
  pick(aim: Aim | null = null): void {
    if (!this.editable) return;
    this.asked.value = aim;
    this.picking.value = true;
  }

  /** The list is done with. */
  done(): void {
    this.picking.value = false;
    this.asked.value = null;
  }

  /** Go to the next sample without a label, from here on and around. */
  async nextUnlabeled(): Promise<void> {
    const { store, grid } = this;
    const after = store.current.value ?? -1;
    const token = store.grid.value?.token;
    const waiting = this.edits.settle();
    if (waiting !== null) await waiting;
    try {
      const { result } = await store.rpc.call("grid.unlabeled", { after }, { lane: "unlabeled" });
      if (store.grid.value?.token !== token && result.token !== store.grid.value?.token) return;
      if (result.position === null) this.tell("Every sample shown has a label");
      else grid.go(result.position, false);
    } catch (failure) {
      if (failure instanceof RpcFailure && failure.error.code !== "Cancelled") this.tell(failure.error.message);
    }
  }

  private tell(text: string): void {
    this.store.actions.announce(text);
    this.edits.showToast({ text, undo: false, redo: false });
  }
}
