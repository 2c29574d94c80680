// Puts a cell below the one that shows this widget, where the front-end allows it. The way there is undocumented, so it is
// all here, guarded: JupyterLab 4 and Notebook 7 hand the notebook's context to the widget manager.
import type { Model } from "../session/model.ts";

interface SharedNotebook {
  insertCell(index: number, cell: { cell_type: "code"; source: string; metadata: object }): unknown;
}
interface CellModel {
  toJSON(): { outputs?: { data?: Record<string, unknown> }[] };
}
interface NotebookModel {
  sharedModel: SharedNotebook;
  cells: Iterable<CellModel>;
}
interface HostModel {
  get(key: string): unknown;
}
interface Manager {
  context?: { model?: NotebookModel };
  get_model?: (id: string) => Promise<HostModel>;
}

const WIDGET_VIEW = "application/vnd.jupyter.widget-view+json";
const MAX_DEPTH = 8;

function shownModels(cell: CellModel): string[] {
  return (cell.toJSON().outputs ?? []).flatMap((output) => {
    const view = output.data?.[WIDGET_VIEW] as { model_id?: unknown } | undefined;
    return typeof view?.model_id === "string" ? [view.model_id] : [];
  });
}

/** A widget's layout is its own: the same object is the same widget, whatever stands between it and the host. */
function holds(shown: HostModel, layout: unknown, depth = 0): boolean {
  if (shown.get("layout") === layout) return true;
  const children = shown.get("children");
  return (
    depth < MAX_DEPTH && Array.isArray(children) && children.some((child: HostModel) => holds(child, layout, depth + 1))
  );
}

async function cellOf(model: Model, manager: Manager, notebook: NotebookModel): Promise<number> {
  const layout = (model as unknown as HostModel).get("layout");
  let index = 0;
  for (const cell of notebook.cells) {
    for (const id of shownModels(cell)) {
      const shown = await manager.get_model?.(id);
      if (layout !== undefined && shown !== undefined && holds(shown, layout)) return index;
    }
    index++;
  }
  return -1;
}

/** True when the cell stands below ours; false where the front-end has no such way. */
export async function insertCellBelow(model: Model, source: string): Promise<boolean> {
  try {
    const manager = model.widget_manager as Manager | undefined;
    const notebook = manager?.context?.model;
    if (manager === undefined || notebook?.sharedModel?.insertCell === undefined) return false;
    const index = await cellOf(model, manager, notebook);
    if (index < 0) return false;
    notebook.sharedModel.insertCell(index + 1, { cell_type: "code", source, metadata: {} });
    return true;
  } catch {
    return false;
  }
}

/** Moves to the cell below the one that holds an element, with the caret in it; false where the host shows none. */
export function goToCellBelow(from: Element): boolean {
  const cell = from.closest(".jp-Cell")?.nextElementSibling ?? null;
  if (!cell?.classList.contains("jp-Cell")) return false;
  cell.scrollIntoView({ block: "center" });
  cell.querySelector<HTMLElement>(".cm-content")?.focus({ preventScroll: true });
  return true;
}
