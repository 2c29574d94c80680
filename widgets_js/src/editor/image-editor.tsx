import { useEffect, useRef } from "preact/hooks";
import { Chips } from "../detail/chips.tsx";
import { AllFacts, HeldNote } from "../detail/detail-panel.tsx";
import { BeforeAfter, EditedLine } from "../detail/edited-line.tsx";
import { SampleHistory } from "../detail/sample-history.tsx";
import { Stage } from "../detail/stage.tsx";
import { Stepper } from "../detail/stepper.tsx";
import type { Session } from "../session/session.ts";
import { focusable } from "../ui/focus.ts";
import { countText } from "../ui/number-text.ts";
import { ClassDock } from "./class-dock.tsx";
import { editorKey, editorKeyUp } from "./editor-keys.ts";
import { KeysLine } from "./keys-line.tsx";
import { ToneButton } from "./tone.tsx";

/** One image over the whole region, with its classes beside it. `alone`: there is no grid to go back to. */
export function ImageEditor({ session, alone = false }: { session: Session; alone?: boolean }) {
  const { store, detail } = session;
  const root = useRef<HTMLElement>(null);
  const sample = detail.sample.value;
  useEffect(() => {
    session.grid.onChosen();
    if (!alone) detail.focusStage();
    return () => leave(session);
  }, [session, alone]);
  return (
    <section
      class="penstock-editor"
      ref={root}
      aria-label="Image"
      data-testid="penstock-editor"
      data-uid={sample?.uid}
      onKeyDown={(event) => editorKey(event, session)}
      onKeyUp={(event) => editorKeyUp(event, session)}
    >
      <Bar session={session} alone={alone} />
      <div class="penstock-canvas">
        <Stage session={session} />
        {store.dataset.value?.label_tensor == null ? null : <ClassDock session={session} />}
      </div>
      <div class="penstock-label-row">
        {sample === null ? (
          <p class="penstock-note">{detail.fault.value ?? ""}</p>
        ) : (
          <>
            <Chips session={session} sample={sample} listed />
            <EditedLine session={session} sample={sample} />
          </>
        )}
      </div>
      <KeysLine session={session} alone={alone} />
    </section>
  );
}

/** Back on the tile, at the same place of the grid. */
function leave(session: Session): void {
  session.labeling.done();
  session.detail.hold(false);
  session.detail.drawing.value = false;
  if (session.store.region.peek() === "grid") requestAnimationFrame(() => session.grid.focus());
}

function Bar({ session, alone }: { session: Session; alone: boolean }) {
  const { store, detail } = session;
  const sample = detail.sample.value;
  return (
    <div class="penstock-editor-bar">
      {alone ? null : (
        <button
          {...focusable}
          type="button"
          class="penstock-back"
          title="back to the grid (Esc)"
          data-testid="penstock-back"
          onClick={() => {
            store.region.value = "grid";
          }}
        >
          ‹ grid <kbd>Esc</kbd>
        </button>
      )}
      {sample === null ? null : (
        <>
          <b class="penstock-nowrap">sample {countText(sample.row)}</b>
          <AllFacts session={session} sample={sample} />
          <SampleHistory session={session} sample={sample} />
          {sample.before === null ? null : <span class="penstock-edited-pill">edited</span>}
          {sample.held ? <HeldNote /> : null}
          <span class="penstock-grow" />
          <ToneButton session={session} />
          <BeforeAfter session={session} sample={sample} />
        </>
      )}
      <Stepper session={session} />
    </div>
  );
}
