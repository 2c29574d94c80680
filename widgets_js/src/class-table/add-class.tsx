import { useSignal } from "@preact/signals";
import type { Store } from "../session/store.ts";
import { classColor } from "../ui/colors.ts";
import { focusable } from "../ui/focus.ts";
import { countText } from "../ui/number-text.ts";
import { Popover } from "../ui/popover.tsx";
import { walk } from "./row-menu.tsx";

const SHOWN = 60;

/** One press to weigh another class; the rarest come first. */
export function AddClass({ store }: { store: Store }) {
  const live = store.isLive.value;
  return (
    <Popover
      label="+ class"
      class="penstock-pill penstock-add"
      testid="add-class"
      disabled={!live || store.textFault.value !== null}
      title={live ? "weigh another class" : "needs a running kernel"}
    >
      {(close) => <ClassList store={store} close={close} />}
    </Popover>
  );
}

function ClassList({ store, close }: { store: Store; close: () => void }) {
  const search = useSignal("");
  const needle = search.value.trim().toLowerCase();
  const counts = store.dataset.value?.class_counts ?? [];
  const named = new Set(store.clauses.value.map((clause) => clause.class_index));
  const found = [...store.classNames.value.keys()]
    .filter((c) => !named.has(c) && (store.classNames.value[c] ?? "").toLowerCase().includes(needle))
    .sort((a, b) => (counts[a] ?? 0) - (counts[b] ?? 0));
  return (
    <div class="penstock-menu" role="dialog" aria-label="weigh another class" onKeyDown={walk}>
      <input
        {...focusable}
        type="search"
        class="penstock-field"
        placeholder="find a class"
        aria-label="find a class"
        value={search.value}
        onInput={(event) => {
          search.value = event.currentTarget.value;
        }}
      />
      <div class="penstock-class-list">
        {found.slice(0, SHOWN).map((c) => (
          <button
            {...focusable}
            key={c}
            type="button"
            data-testid="add-class-option"
            data-class={store.classNames.value[c]}
            onClick={() => {
              close();
              void store.actions.addClass(c);
            }}
          >
            <span class="penstock-dot" style={{ background: classColor(c) }} />
            <span class="penstock-legend-name">{store.classNames.value[c]}</span>
            <span class="penstock-number">{countText(counts[c] ?? 0)}</span>
          </button>
        ))}
      </div>
      {found.length > SHOWN && (
        <p class="penstock-note">{`${countText(found.length - SHOWN)} more: type to find them`}</p>
      )}
      {found.length === 0 && <p class="penstock-note">no other class</p>}
    </div>
  );
}
