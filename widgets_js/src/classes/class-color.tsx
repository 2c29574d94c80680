import { useState } from "preact/hooks";
import { classColor, HUES, keptColor } from "../ui/colors.ts";
import { focusable, focused } from "../ui/focus.ts";
import { Form, type PageProps, Reason } from "./class-form.tsx";

/** A hue of the palette, which has a form for each theme, or any other color; kept in the dataset. */
export function ClassColor({ session, index, name, touch, back, close }: PageProps) {
  const known = session.store.dataset.value?.class_colors[index] ?? null;
  const [color, setColor] = useState<string | null>(known);
  const [fault, setFault] = useState<string | null>(null);
  const recolor = async (): Promise<void> => {
    const reason = await session.edits.tryTo("classes.recolor", { name, color });
    if (reason === null) close();
    else setFault(reason);
  };
  const choose = (next: string | null): void => {
    setColor(next);
    setFault(null);
  };
  const other = color !== null && !HUES.includes(color as (typeof HUES)[number]);
  return (
    <Form submit="Use this color" off={color === known} onSubmit={recolor} back={back}>
      <div class="penstock-hues" role="radiogroup" aria-label={`Color of ${name}`} onKeyDown={stepHues}>
        {HUES.map((hue, i) => (
          <button
            {...focusable}
            key={hue}
            type="button"
            role="radio"
            aria-checked={color === hue}
            aria-label={`color ${i + 1}`}
            title={hue}
            style={{ background: keptColor(hue) }}
            data-testid="penstock-hue"
            onClick={() => choose(hue)}
          />
        ))}
        <input
          {...focusable}
          type="color"
          aria-label="another color"
          title="another color"
          value={color ?? HUES[index % HUES.length]}
          data-testid="penstock-any-color"
          onInput={(event) => choose(event.currentTarget.value.toLowerCase())}
        />
        <button
          {...focusable}
          type="button"
          role="radio"
          class="penstock-pill"
          aria-checked={color === null}
          onClick={() => choose(null)}
        >
          default
        </button>
      </div>
      <p class="penstock-note">
        <span class="penstock-dot" style={{ background: color === null ? usual(index) : keptColor(color) }} /> Colors{" "}
        {touch ?? "…"}; kept in the dataset, so everyone sees it.
      </p>
      <Reason bad={fault !== null}>{fault ?? (other ? contrastNote(color) : "")}</Reason>
    </Form>
  );
}

const usual = (index: number): string =>
  classColor(index)
    .replace(/^var\([^,]+, /, "")
    .replace(/\)\)$/, ")");

function stepHues(event: KeyboardEvent): void {
  const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
  if (by === 0) return;
  const group = event.currentTarget as HTMLElement;
  const all = [...group.querySelectorAll<HTMLElement>("button, input")];
  const at = all.indexOf(focused(group) as HTMLElement);
  const next = all[(at + by + all.length) % all.length];
  next?.focus();
  if (next instanceof HTMLButtonElement) next.click(); // as in any group of radio buttons
  event.preventDefault();
}

const PANELS = { light: "#ffffff", dark: "#1b1f24" } as const;
const LEAST = 3;

/** Says on which theme a color is hard to see; WCAG's 3 to 1 for marks. */
export function contrastNote(color: string): string {
  const hard = Object.entries(PANELS).filter(([, panel]) => contrast(color, panel) < LEAST);
  return hard.map(([theme]) => `Hard to see on the ${theme} theme.`).join(" ");
}

function contrast(one: string, other: string): number {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

function luminance(color: string): number {
  const [r = 0, g = 0, b = 0] = (color.slice(1).match(/../g) ?? []).map((pair) => {
    const value = Number.parseInt(pair, 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
