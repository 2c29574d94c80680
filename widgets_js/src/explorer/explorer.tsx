import { useEffect, useRef, useState } from "preact/hooks";
import { BatchesPanel } from "../batches/batches-panel.tsx";
import { CoveragePanel } from "../coverage/coverage-panel.tsx";
import { DetailPanel } from "../detail/detail-panel.tsx";
import { GridPanel } from "../grid/grid-panel.tsx";
import { HistogramPanel } from "../histogram/histogram-panel.tsx";
import { QueryPanel } from "../query/query-panel.tsx";
import type { GridSort } from "../session/grid-session.ts";
import type { Session } from "../session/session.ts";
import type { Store } from "../session/store.ts";
import { WeightsPanel } from "../tuner/weights-panel.tsx";
import { focusable } from "../ui/focus.ts";
import { countText } from "../ui/number-text.ts";
import { Popover } from "../ui/popover.tsx";
import { ClassList } from "./class-list.tsx";
import { CodePanel } from "./export-menu.tsx";
import { Header } from "./header.tsx";
import { Review } from "./review.tsx";
import { TablePanel } from "./table-panel.tsx";

export function Explorer({ session }: { session: Session }) {
  const { store } = session;
  return (
    <div class="penstock-tall" style={{ "--penstock-height": `${Math.max(480, session.height)}px` }}>
      <FirstRun store={store} />
      <Header session={session} />
      <CodePanel session={session} />
      <QueryPanel session={session} />
      {store.isTable.value ? (
        <TablePanel session={session} />
      ) : (
        <div class="penstock-body">
          <aside class="penstock-column penstock-left">
            <div class="penstock-section">
              <ClassList session={session} />
            </div>
            <div class="penstock-section">
              <Review session={session} />
            </div>
          </aside>
          <div class="penstock-column penstock-right">
            <WeightsPanel store={store} />
            <HistogramPanel store={store} />
            <CoveragePanel store={store} />
            <BatchesPanel store={store} />
          </div>
          <div class="penstock-column penstock-middle">
            <Browser session={session} />
          </div>
        </div>
      )}
    </div>
  );
}

/** Grid and detail with their bar. */
export function Browser({ session }: { session: Session }) {
  return (
    <>
      <GridBar session={session} />
      <GridPanel session={session} />
      <DetailPanel session={session} />
    </>
  );
}

function GridBar({ session }: { session: Session }) {
  const { store, grid } = session;
  const query = store.query.value;
  const filter = store.classFilter.value;
  const classes = store.classNames.value.length;
  const edits = store.dataset.value?.num_edits ?? 0;
  return (
    <div class="penstock-bar">
      <span data-testid="penstock-pool">
        pool {countText(query?.pool_size ?? store.snapshot.value?.pool_size ?? 0)} of{" "}
        {countText(query?.num_rows ?? store.snapshot.value?.dataset.num_samples ?? 0)}
      </span>
      {filter === null ? null : (
        <button
          {...focusable}
          type="button"
          class="penstock-pill"
          aria-pressed="true"
          title="show the whole pool"
          onClick={() => void store.actions.filterClass(null)}
        >
          {store.classNames.value[filter]} {countText(store.gridSize.value)} ✕
        </button>
      )}
      <span class="penstock-folded">
        <Popover class="penstock-opener" label={`classes ${classes} ▾`} testid="penstock-classes-menu">
          {() => <ClassList session={session} />}
        </Popover>
        <Popover class="penstock-opener" label={`review ${edits} ▾`} testid="penstock-review-menu">
          {() => <Review session={session} />}
        </Popover>
      </span>
      <span class="penstock-grow" />
      <select
        {...focusable}
        class="penstock-sort"
        aria-label="Order of the samples"
        data-testid="penstock-sort"
        value={grid.sort.value}
        disabled={!store.isLive.value}
        onChange={(event) => void grid.sortBy(event.currentTarget.value as GridSort)}
      >
        <option value="query">query order ▾</option>
        <option value="row">by row ▾</option>
        <option value="labels">most labels ▾</option>
      </select>
      <fieldset class="penstock-sizes" aria-label="Size of the tiles">
        {(["small", "medium", "large"] as const).map((size) => (
          <button
            {...focusable}
            key={size}
            type="button"
            aria-label={`${size} tiles`}
            aria-pressed={grid.size.value === size}
            title={`${size} tiles`}
            onClick={() => {
              grid.size.value = size;
            }}
          >
            <i class={`penstock-size-${size}`} />
          </button>
        ))}
      </fieldset>
      {store.dataset.value?.box_tensor == null ? null : (
        <label class="penstock-check">
          <input
            {...focusable}
            type="checkbox"
            checked={grid.boxes.value}
            onChange={(event) => (grid.boxes.value = event.currentTarget.checked)}
          />{" "}
          boxes
        </label>
      )}
      <OpenedNote store={store} />
    </div>
  );
}

const OPENED = {
  view: { text: "View: charts count its rows, not the dataset.", title: "The class list counts the whole dataset." },
  "frozen view": {
    text: "Frozen view: charts count its rows, drawn once, not the dataset.",
    title: "A view made by SAMPLE BY keeps the rows of its first epoch. The class list counts the whole dataset.",
  },
} as const;

/** Whose rows the pool and the charts are of, where that is not the dataset. */
function OpenedNote({ store }: { store: Store }) {
  const opened = store.dataset.value?.opened ?? "dataset";
  if (opened === "dataset") return null;
  return (
    <p class="penstock-opened" title={OPENED[opened].title} data-testid="penstock-opened">
      {OPENED[opened].text}
    </p>
  );
}

const STEPS = ["Look", "Label", "Weigh", "Export"] as const;
const SEEN = "penstock.first-run";

/** One line, once: gone when dismissed, and when the first weight or edit shows that it is not needed. */
function FirstRun({ store }: { store: Store }) {
  const [gone, setGone] = useState(() => globalThis.localStorage?.getItem(SEEN) === "1");
  const step = stepOf(store);
  if (gone || store.query.value === null) return null;
  const dismiss = (): void => {
    globalThis.localStorage?.setItem(SEEN, "1");
    setGone(true);
  };
  return (
    <div class="penstock-first" data-testid="penstock-first">
      {STEPS.map((name, i) =>
        i === step ? <b key={name}>{`${i + 1} ${name}`}</b> : <span key={name}>{`${i + 1} ${name}`}</span>,
      )}
      <span class="penstock-grow" />
      <button {...focusable} type="button" class="penstock-remove" aria-label="Dismiss" onClick={dismiss}>
        ✕
      </button>
    </div>
  );
}

function stepOf(store: Store): number {
  if (store.weights.value.some((weight) => weight !== 1)) return 3;
  if ((store.query.value?.has_sampling ?? false) || (store.dataset.value?.num_edits ?? 0) > 0) return 2;
  return store.current.value !== null && store.current.value > 0 ? 1 : 0;
}

/** What is shown is not what the dataset is: said before anything else. */
export function BehindBanner({ session }: { session: Session }) {
  const { store, edits } = session;
  const behind = store.dataset.value?.behind ?? null;
  if (behind === null || !store.isLive.value) return null;
  return (
    <div class="penstock-dead" role="alert" data-testid="penstock-behind">
      {capital(behind.message)}.{" "}
      {behind.remedy === "update" ? (
        <button
          {...focusable}
          type="button"
          class="penstock-link"
          data-testid="penstock-update"
          onClick={() => void edits.apply("dataset.update", {})}
        >
          Update
        </button>
      ) : null}
    </div>
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What the link to the kernel says above all: gone, or not there at all. */
export function LinkBanner({ store }: { store: Store }) {
  const link = store.link.value;
  if (link !== "dead") return null;
  const edits = store.dataset.value?.num_edits ?? 0;
  const kept = edits > 0 ? `; your ${edits === 1 ? "edit is" : `${edits} edits are`} kept as a draft` : "";
  const sliders = store.statistics.value === null ? "" : ` Sliders still work${kept}.`;
  return (
    <div class="penstock-dead" role="alert" data-testid="penstock-dead">
      Kernel restarted: run this cell again.{sliders}
    </div>
  );
}

export function Toast({ session }: { session: Session }) {
  const { store } = session;
  const { value } = store.toast;
  if (value === null) return null;
  const dataset = store.dataset.value;
  return (
    <div
      class={`penstock-toast${value.bad ? " penstock-bad-toast" : ""}`}
      role={value.bad ? "alert" : undefined}
      data-testid={value.bad ? "penstock-problem" : "penstock-toast"}
    >
      <span>{value.text}</span>
      {value.bad ? (
        <button
          {...focusable}
          type="button"
          class="penstock-link"
          onClick={() => {
            store.toast.value = null;
          }}
        >
          Dismiss
        </button>
      ) : null}
      {value.undo && dataset?.can_undo != null ? (
        <button {...focusable} type="button" class="penstock-link" onClick={() => void store.actions.undo()}>
          Undo
        </button>
      ) : null}
      {value.redo && dataset?.can_redo != null ? (
        <button {...focusable} type="button" class="penstock-link" onClick={() => void store.actions.redo()}>
          Redo
        </button>
      ) : null}
    </div>
  );
}

/** Spoken results. The same words twice are told apart by a space that nobody hears. */
export function LiveRegion({ store }: { store: Store }) {
  const turn = useRef(false);
  useEffect(() => {
    turn.current = !turn.current;
  }, [store.announcement.value]);
  return (
    <div class="penstock-hidden" role="status" aria-live="polite" data-testid="penstock-live">
      {store.announcement.value}
    </div>
  );
}
