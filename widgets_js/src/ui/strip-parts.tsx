// The two halves of a strip under the class table: a chart at left, one headline and one sentence at right.
import type { ComponentChildren } from "preact";
import { focusable } from "./focus.ts";
import { type Box, useMeasuredBox } from "./measured-box.ts";

export type Part = string | { readonly figure: string; readonly testid?: string; readonly value?: number | null };

export interface Told {
  readonly headline: string;
  readonly sentence: readonly Part[];
}

const USUAL: Box = { width: 272, height: 84 };

/** Room for a chart, which is drawn at its size. */
export function CoverChart({ children }: { children: (box: Box) => ComponentChildren }) {
  const [frame, box] = useMeasuredBox<HTMLDivElement>(USUAL);
  return (
    <div ref={frame} class="penstock-cover-chart">
      {children(box)}
    </div>
  );
}

/** One headline and one sentence. */
export function CoverSay({ told, seen, children }: { told: Told; seen?: number; children?: ComponentChildren }) {
  return (
    <div class="penstock-cover-say" data-testid="coverage-says">
      <strong data-testid={seen === undefined ? undefined : "seen-epoch-1"} data-value={seen}>
        {told.headline}
      </strong>
      <p>
        {told.sentence.map((part, i) => (
          <PartText key={i} part={part} />
        ))}
        {children}
      </p>
    </div>
  );
}

function PartText({ part }: { part: Part }) {
  if (typeof part === "string") return <>{part}</>;
  const { figure, testid, value } = part;
  return (
    <b data-testid={testid} data-value={testid === undefined ? undefined : (value ?? "never")}>
      {figure}
    </b>
  );
}

/** A small choice beside the sentence, such as the size of a batch. */
export function CoverChoice<T extends number>({
  label,
  testid,
  options,
  value,
  onChange,
}: {
  label: string;
  testid: string;
  options: readonly { value: T; text: string }[];
  value: T;
  onChange: (value: T) => void;
}) {
  return (
    <select
      {...focusable}
      class="penstock-cover-choice"
      aria-label={label}
      data-testid={testid}
      value={value}
      onChange={(event) => onChange(Number(event.currentTarget.value) as T)}
    >
      {options.map((option) => (
        <option key={option.value} value={option.value}>
          {option.text}
        </option>
      ))}
    </select>
  );
}
