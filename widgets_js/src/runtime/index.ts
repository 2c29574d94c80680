// The bundle: one view for each kind of widget.
import type { ViewContext } from "../session/model.ts";
import { bodies, mount } from "./mount.tsx";

type Render = (ctx: ViewContext) => () => void;

export const views: Record<string, Render> = Object.fromEntries(
  Object.keys(bodies).map((kind) => [kind, (ctx: ViewContext) => mount(kind, ctx)]),
);
