import { effect } from "@preact/signals";
import { type ComponentChildren, render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { ClassTable } from "../class-table/class-table.tsx";
import { CoverageStrip } from "../coverage/coverage-strip.tsx";
import { Explorer, LiveRegion } from "../explorer/explorer.tsx";
import { Header } from "../explorer/header.tsx";
import { NoticeLine } from "../explorer/header-notice.tsx";
import { Held } from "../explorer/held.tsx";
import { LeftRegion } from "../explorer/left-region.tsx";
import { Toast } from "../explorer/toast.tsx";
import { QueryPanel } from "../query/query-panel.tsx";
import type { ViewContext } from "../session/model.ts";
import { createSession, type Session } from "../session/session.ts";
import { ownColors } from "../ui/colors.ts";
import { forwardSave } from "../ui/focus.ts";
import { keepFocus } from "../ui/kept-focus.ts";
import { lazy } from "../ui/lazy.tsx";
import { expectParts, offerParts } from "./parts.ts";
import { undoKeys } from "./undo-keys.ts";

const ImageEditor = lazy(
  () => import("../editor/image-editor.tsx").then((part) => part.ImageEditor),
  "penstock-editor",
);

const ReviewDrawer = lazy(
  () => import("../review/review-drawer.tsx").then((part) => part.ReviewDrawer),
  "penstock-review",
);

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
        {session.store.region.value === "review" ? (
          <ReviewDrawer session={session} />
        ) : (
          <ImageEditor session={session} alone />
        )}
      </div>
    </>
  ),
  query_editor: ({ session }) => <QueryPanel session={session} />,
  weight_tuner: ({ session }) => (
    <div class="penstock-tuner">
      <ClassTable session={session} />
    </div>
  ),
  coverage_view: ({ session }) => <CoverageStrip session={session} alone />,
};

/** They say in their header what the others say in a line above. */
const WITH_HEADER: ReadonlySet<string> = new Set(["explorer", "label_editor"]);

/** They can change labels. */
const EDITING: ReadonlySet<string> = new Set(["explorer", "browser", "label_editor"]);

function Frame({ session, kind }: { session: Session; kind: string }) {
  const root = useRef<HTMLDivElement>(null);
  const { store } = session;
  const Inner = bodies[kind] as Body;
  useEffect(() => {
    const element = root.current;
    if (element === null) return undefined;
    element.dataset.ready = "1";
    const stops = [forwardSave(element), keepFocus(element), undoKeys(element, session)];
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
        {EDITING.has(kind) ? <Held session={session} /> : null}
        {WITH_HEADER.has(kind) ? null : <NoticeLine session={session} />}
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
  const stopParts = giveParts(session);
  return () => {
    stopReady();
    stopParts();
    render(null, el);
    session.dispose();
  };
}

const REST_MS = 1500;

/** A live widget is asked for the second file of the code; a while after the first paint it loads it unasked. */
function giveParts({ store }: Session): () => void {
  return effect(() => {
    const { value } = store.link;
    if (value !== "live" && value !== "static") return undefined;
    const gone = new AbortController();
    const stop = offerParts(async () => {
      const { buffers } = await store.rpc.call("runtime.extra", {}, { signal: gone.signal });
      return (buffers[0] ?? new Uint8Array()) as BlobPart;
    });
    const timer = setTimeout(expectParts, REST_MS);
    return () => {
      clearTimeout(timer);
      stop();
      gone.abort();
    };
  });
}
