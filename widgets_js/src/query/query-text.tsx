// The query as text, before its editor is loaded and where none can be: the same letters at the same places.
import type { Store } from "../session/store.ts";
import { focusable } from "../ui/focus.ts";
import { useMeasuredWidth } from "../ui/measured-width.ts";
import { isLong, sampleBy } from "./fold.ts";
import { type Token, tokens } from "./tokens.ts";

const CHARACTER = 7.53; // pixels, until the editor has measured

export function QueryText({ store }: { store: Store }) {
  const [root, width] = useMeasuredWidth<HTMLDivElement>(700);
  const text = store.text.value;
  const found = tokens(text);
  const fold = isLong(text, Math.floor(width / CHARACTER)) ? sampleBy(text, found) : null;
  const before = fold === null ? found : found.filter(({ to }) => to <= fold.from);
  const after = fold === null ? [] : found.filter(({ from }) => from >= fold.to);
  return (
    <div
      {...focusable}
      ref={root}
      class="penstock-query-plain penstock-mono"
      role="textbox"
      aria-readonly="true"
      aria-multiline="true"
      aria-label="TQL query"
      tabIndex={0}
    >
      {text === "" ? <span class="cm-placeholder">select *</span> : null}
      {colored(text, before, 0, fold?.from ?? text.length)}
      {fold === null ? null : (
        <span class="penstock-fold">
          <FoldLabel name={fold.name} content={fold.content} />
        </span>
      )}
      {fold === null ? null : colored(text, after, fold.to, text.length)}
    </div>
  );
}

function FoldLabel({ name, content }: { name: string; content: string }) {
  return (
    <>
      <span class="penstock-token-keyword">sample by</span> <span class="penstock-token-function">{name}</span>
      {` · ${content} ▾`}
    </>
  );
}

function colored(text: string, found: readonly Token[], from: number, to: number) {
  const parts = [];
  let at = from;
  for (const token of found) {
    if (token.from > at) parts.push(text.slice(at, token.from));
    parts.push(
      <span key={token.from} class={`penstock-token-${token.kind}`}>
        {text.slice(token.from, token.to)}
      </span>,
    );
    at = token.to;
  }
  parts.push(text.slice(at, to));
  return parts;
}
