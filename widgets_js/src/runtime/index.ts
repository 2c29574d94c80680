// The bundle: one view for each kind of widget.
import type { ViewContext } from "../shared/model.ts";
import type { WidgetState } from "../shared/protocol.ts";
import { mountExplorer } from "./mount.tsx";

type Render = (ctx: ViewContext) => () => void;

export const views: Record<WidgetState["_kind"], Render> = {
  explorer: mountExplorer,
  browser: mountExplorer,
  label_editor: mountExplorer,
  query_editor: mountExplorer,
  weight_tuner: mountExplorer,
  coverage_view: mountExplorer,
};
