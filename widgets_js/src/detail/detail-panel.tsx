import type { Session } from "../session/session.ts";
import type { ShownSample } from "../session/shown-sample.ts";
import { focusable } from "../ui/focus.ts";
import { countText } from "../ui/number-text.ts";
import { Popover } from "../ui/popover.tsx";
import { Chips } from "./chips.tsx";
import { BeforeAfter, EditedLine } from "./edited-line.tsx";
import { Facts } from "./facts.tsx";
import { SampleHistory } from "./sample-history.tsx";
import { Splitter } from "./splitter.tsx";
import { Stage } from "./stage.tsx";
import { Stepper } from "./stepper.tsx";

/** One sample under or beside the grid: its image with boxes, its classes as chips, what is known of it. Under the editor it only keeps its place. */
export function DetailPanel({ session }: { session: Session }) {
  const { store, detail } = session;
  const sample = detail.sample.value;
  const imageless = store.dataset.value?.image_tensor === null;
  return (
    <section
      class={`penstock-detail${imageless ? " penstock-imageless" : ""}`}
      style={{
        ...(detail.beside.value === null ? {} : { "--penstock-beside": `${detail.beside.value}px` }),
        ...(detail.under.value === null ? {} : { "--penstock-under": `${detail.under.value}px` }),
      }}
      aria-label="Sample"
      data-testid="penstock-detail"
      data-uid={sample?.uid}
    >
      {store.region.value === "image" ? null : (
        <>
          <Edge session={session} />
          {imageless ? null : <Picture session={session} />}
          <div class="penstock-facts">
            {sample === null ? (
              <p class="penstock-note">
                {detail.fault.value ?? (store.isLive.value ? "" : "Images need a running kernel.")}
              </p>
            ) : (
              <Info session={session} sample={sample} />
            )}
          </div>
        </>
      )}
    </section>
  );
}

function Picture({ session }: { session: Session }) {
  const { store, grid } = session;
  return (
    <div class="penstock-picture">
      <Stage session={session} tight />
      {session.detail.sample.value?.held ? <HeldNote /> : null}
      <button
        {...focusable}
        type="button"
        class="penstock-expand"
        aria-label="Expand and edit"
        title="expand and edit (F)"
        disabled={!store.isLive.value}
        data-testid="penstock-expand"
        onClick={() => grid.openDetail()}
      >
        <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
          <path
            d="M8.5 1.5h4v4M12.5 1.5L8 6M5.5 12.5h-4v-4M1.5 12.5L6 8"
            fill="none"
            stroke="currentColor"
            stroke-width="1.5"
          />
        </svg>
      </button>
    </div>
  );
}

function Info({ session, sample }: { session: Session; sample: ShownSample }) {
  return (
    <>
      <div class="penstock-detail-title">
        <b>sample {countText(sample.row)}</b>
        <AllFacts session={session} sample={sample} />
        <SampleHistory session={session} sample={sample} />
        <span class="penstock-grow" />
        <Stepper session={session} />
      </div>
      <Chips session={session} sample={sample} />
      {sample.before === null ? null : (
        <div class="penstock-edited-row">
          <EditedLine session={session} sample={sample} />
          <BeforeAfter session={session} sample={sample} />
        </div>
      )}
      <Facts session={session} sample={sample} />
    </>
  );
}

/** What may find no room: every value of the sample, and why some shapes are not drawn. */
export function AllFacts({ session, sample }: { session: Session; sample: ShownSample }) {
  return (
    <Popover
      class="penstock-icon-button"
      title="everything about this sample"
      name="Everything about this sample"
      testid="penstock-all-facts"
      label={
        <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
          <circle cx="7" cy="7" r="5.5" fill="none" stroke="currentColor" stroke-width="1.3" />
          <path d="M7 6.2v4M7 3.6v1.3" stroke="currentColor" stroke-width="1.5" />
        </svg>
      }
    >
      {() => (
        <div class="penstock-all-facts">
          <Facts session={session} sample={sample} />
          {sample.note === null ? null : <p class="penstock-note penstock-warned">{sample.note}</p>}
        </div>
      )}
    </Popover>
  );
}

/** Quiet: the sample was edited and is still shown where it was. */
export function HeldNote() {
  return (
    <span
      class="penstock-held-note"
      title="It stays in its place until the grid is updated, so that the next step goes to the next sample."
      data-testid="penstock-held"
    >
      no longer matches
    </span>
  );
}

/** The edge between grid and panel. Which way it moves is the sheet's to say, by the width of the widget. */
function Edge({ session }: { session: Session }) {
  const { detail } = session;
  return (
    <>
      <Splitter
        label="Width of the sample beside the grid"
        along="x"
        value={detail.beside.value ?? 240}
        least={180}
        rest={240}
        onChange={(size) => {
          detail.beside.value = size;
        }}
      />
      <Splitter
        label="Height of the sample under the grid"
        along="y"
        value={detail.under.value ?? 144}
        least={112}
        rest={120}
        onChange={(size) => {
          detail.under.value = size;
        }}
      />
    </>
  );
}
