import { useState } from "preact/hooks";
import type { Session } from "../session/session.ts";
import { classColor } from "../ui/colors.ts";
import { focusable } from "../ui/focus.ts";
import { countText } from "../ui/number-text.ts";
import { ClassMenu } from "./class-menu.tsx";
import { ClassTools } from "./class-tools.tsx";

const ROW = 25;
const WINDOW = 40; // rows drawn at once; more are drawn as the list is scrolled

/** All classes with their counts: the name hides and shows boxes, "only" filters the grid, ⋯ changes the class. */
export function ClassList({ session }: { session: Session }) {
  const { store } = session;
  const [typed, setTyped] = useState("");
  const [top, setTop] = useState(0);
  const names = store.classNames.value;
  const words = typed.trim().toLowerCase();
  const found = names.map((_, index) => index).filter((index) => names[index]?.toLowerCase().includes(words));
  const counts = store.dataset.value?.class_counts ?? [];
  found.sort((a, b) => (counts[b] ?? 0) - (counts[a] ?? 0));
  const first = Math.max(0, Math.floor(top / ROW) - 8);
  const shown = found.slice(first, first + WINDOW);
  return (
    <div data-testid="penstock-classes">
      <div class="penstock-row">
        <h3>Classes</h3>
        <span class="penstock-grow" />
        <span class="penstock-number penstock-small">instances</span>
        <ClassTools session={session} />
      </div>
      <input
        {...focusable}
        class="penstock-field penstock-search"
        type="search"
        placeholder="filter classes"
        aria-label="Filter classes"
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
      <div class="penstock-class-scroll" onScroll={(event) => setTop(event.currentTarget.scrollTop)}>
        <ul class="penstock-all-classes" style={{ height: `${found.length * ROW}px`, paddingTop: `${first * ROW}px` }}>
          {shown.map((index) => (
            <ClassRow key={index} session={session} index={index} instances={counts[index] ?? 0} />
          ))}
        </ul>
      </div>
      {found.length === 0 ? (
        <p class="penstock-note">
          {typed.trim() === "" ? "This dataset has no classes yet." : `No class has “${typed.trim()}” in its name.`}
        </p>
      ) : null}
    </div>
  );
}

function ClassRow({ session, index, instances }: { session: Session; index: number; instances: number }) {
  const { store } = session;
  const name = store.classNames.value[index] ?? "";
  const off = store.hiddenClasses.value.has(index);
  const only = store.classFilter.value === index;
  const boxed = store.dataset.value?.box_tensor != null;
  return (
    <li class={`penstock-class${off ? " penstock-off" : ""}`} style={{ height: `${ROW}px` }} data-class={name}>
      <button
        {...focusable}
        type="button"
        class="penstock-class-name"
        aria-pressed={!off}
        disabled={!boxed}
        title={boxed ? `${off ? "show" : "hide"} the boxes of ${name}` : name}
        onClick={() => store.actions.toggleClass(index)}
      >
        <span class="penstock-dot" style={{ background: classColor(index) }} />
        <span class="penstock-class-text">{name}</span>
      </button>
      <span class="penstock-class-tools">
        <button
          {...focusable}
          type="button"
          class="penstock-only"
          aria-pressed={only}
          disabled={!store.isLive.value || instances === 0}
          aria-label={`Show only samples with ${name}`}
          title={only ? "show all samples" : `show only samples with ${name}`}
          onClick={() => void store.actions.filterClass(only ? null : index)}
        >
          {only ? "all" : "only"}
        </button>
        <ClassMenu session={session} index={index} instances={instances} />
      </span>
      <span class="penstock-number">{countText(instances)}</span>
    </li>
  );
}
