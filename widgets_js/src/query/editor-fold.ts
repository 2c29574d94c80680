// The pill in the editor: SAMPLE BY is folded while the whole takes more than two lines and nobody writes in it.
import { type EditorState, type Extension, StateEffect, StateField, type Transaction } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, WidgetType } from "@codemirror/view";
import { type Fold, isLong, sampleBy } from "./fold.ts";
import { tokens } from "./tokens.ts";

interface Folding {
  columns: number;
  open: boolean; // unfolded by hand
  fold: Fold | null;
  decorations: DecorationSet;
}

const setColumns = StateEffect.define<number>();
const setOpen = StateEffect.define<boolean>();

class Pill extends WidgetType {
  private readonly fold: Fold;

  constructor(fold: Fold) {
    super();
    this.fold = fold;
  }

  override eq(other: Pill): boolean {
    return other.fold.name === this.fold.name && other.fold.content === this.fold.content;
  }

  override toDOM(view: EditorView): HTMLElement {
    const { name, content } = this.fold;
    const pill = document.createElement("span");
    pill.className = "penstock-fold";
    pill.dataset.testid = "penstock-fold";
    pill.title = "Show all of it";
    const parts = [
      ["penstock-token-keyword", "sample by"],
      ["penstock-token-function", name],
    ] as const;
    for (const [kind, text] of parts) {
      const part = document.createElement("span");
      part.className = kind;
      part.textContent = text;
      pill.append(part, " ");
    }
    pill.append(`· ${content} ▾`);
    pill.addEventListener("mousedown", (event) => {
      event.preventDefault();
      unfold(view, view.posAtDOM(pill));
    });
    return pill;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}

function unfold(view: EditorView, at: number): void {
  view.dispatch({ effects: setOpen.of(true), selection: { anchor: at }, scrollIntoView: true });
  view.focus();
}

function folded(state: EditorState, columns: number, open: boolean): Folding {
  const text = state.doc.toString();
  const fold = open || !isLong(text, columns) ? null : sampleBy(text, tokens(text));
  const decorations =
    fold === null
      ? Decoration.none
      : Decoration.set([Decoration.replace({ widget: new Pill(fold) }).range(fold.from, fold.to)]);
  return { columns, open, fold, decorations };
}

const isInside = (fold: Fold | null, at: number): boolean => fold !== null && at > fold.from && at < fold.to;

/** `isOutside`: whether a change was made by a slider, a preset or the kernel, and not by hand in the editor. */
export function folding(isOutside: (change: Transaction) => boolean): Extension {
  const field = StateField.define<Folding>({
    create: (state) => folded(state, 80, false),
    update(now, transaction) {
      let { columns, open } = now;
      for (const effect of transaction.effects) {
        if (effect.is(setColumns)) columns = effect.value;
        else if (effect.is(setOpen)) open = effect.value;
      }
      open ||= transaction.docChanged && !isOutside(transaction);
      open ||= transaction.selection !== undefined && isInside(now.fold, transaction.selection.main.head);
      if (!transaction.docChanged && columns === now.columns && open === now.open) return now;
      return folded(transaction.state, columns, open);
    },
    provide: (one) => EditorView.decorations.from(one, ({ decorations }) => decorations),
  });
  const measured = EditorView.updateListener.of(({ view, geometryChanged }) => {
    if (!geometryChanged) return;
    const columns = Math.floor((view.contentDOM.clientWidth - 7) / view.defaultCharacterWidth);
    if (columns > 0 && columns !== view.state.field(field).columns)
      queueMicrotask(() => view.dispatch({ effects: setColumns.of(columns) }));
  });
  const closes = EditorView.domEventHandlers({
    blur: (_event, view) => {
      if (view.state.field(field).open) queueMicrotask(() => view.dispatch({ effects: setOpen.of(false) }));
    },
  });
  return [field, measured, closes];
}
