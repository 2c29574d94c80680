import { effect } from "@preact/signals";
import { type ComponentChildren, render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { CoveragePanel } from "../coverage/coverage-panel.tsx";
import { ImageEditor } from "../editor/image-editor.tsx";
import { BehindBanner, Explorer, LinkBanner, LiveRegion, Toast } from "../explorer/explorer.tsx";
import { Header } from "../explorer/header.tsx";
import { LeftRegion } from "../explorer/left-region.tsx";
import { HistogramPanel } from "../histogram/histogram-panel.tsx";
import { QueryPanel } from "../query/query-panel.tsx";
import type { ViewContext } from "../session/model.ts";
import { createSession, type Session } from "../session/session.ts";
import { WeightsPanel } from "../tuner/weights-panel.tsx";
import { ownColors } from "../ui/colors.ts";
import { forwardSave } from "../ui/focus.ts";
import { undoKeys } from "./undo-keys.ts";

export type Body = (props: { session: Session }) => ComponentChildren;

export const bodies: Record<string, Body> = {
  explorer: ({ session }) => <Explorer session={session} />,
  browser: ({ session }) => (
    <div class="penstock-single">
      <LeftRegion session={session} />
    </div>
  ),
  label_editor: ({ session }) => (
    <>
      <Header session={session} editing />
      <div class="penstock-single">
        <ImageEditor session={session} alone />
      </div>
    </>
  ),
  query_editor: ({ session }) => <QueryPanel session={session} />,
  weight_tuner: ({ session }) => (
    <>
      <WeightsPanel store={session.store} />
      <HistogramPanel store={session.store} />
    </>
  ),
  coverage_view: ({ session }) => <CoveragePanel store={session.store} />,
};

function Frame({ session, kind }: { session: Session; kind: string }) {
  const root = useRef<HTMLDivElement>(null);
  const { store } = session;
  const Inner = bodies[kind] as Body;
  useEffect(() => {
    const element = root.current;
    if (element === null) return undefined;
    element.dataset.ready = "1";
    const stops = [forwardSave(element), undoKeys(element, session)];
    return () => {
      for (const stop of stops) stop();
    };
  }, [session]);
  return (
    <div
      ref={root}
      class="penstock"
      data-testid={`penstock-${kind.replace("_", "-")}`}
      data-theme={store.theme.value}
      data-link={store.link.value}
      style={ownColors(store.dataset.value?.class_colors ?? {})}
    >
      <div class="penstock-frame">
        <LinkBanner store={store} />
        <BehindBanner session={session} />
        <Inner session={session} />
        <Toast session={session} />
        <LiveRegion store={store} />
      </div>
    </div>
  );
}

/** A view draws from synced state at once and greets the kernel afterwards; what it returns takes it down. */
export function mount(kind: string, { model, el }: ViewContext): () => void {
  const session = createSession(model);
  render(<Frame session={session} kind={kind} />, el);
  session.start();
  const stopReady = effect(() => {
    el.dataset.link = session.store.link.value;
  });
  return () => {
    stopReady();
    render(null, el);
    session.dispose();
  };
}
