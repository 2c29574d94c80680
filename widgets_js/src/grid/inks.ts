// Colors of classes for a canvas, which takes no tokens of a theme: read once, and again when the theme has changed.
import type { RefObject } from "preact";
import { useCallback, useLayoutEffect, useMemo, useState } from "preact/hooks";
import { keptColor, NUM_HUES } from "../ui/colors.ts";

/** The color of a class, or of what has none. */
export type Ink = (label: number | null) => string;

const NEUTRAL = "var(--penstock-neutral)";
const hueToken = (hue: number): string => `var(--penstock-c${hue})`;
const TOKENS = [NEUTRAL, ...Array.from({ length: NUM_HUES }, (_, hue) => hueToken(hue))];
/** A color that nobody sees (grid.css): any rule of the page or of the system may change the theme, its transition tells. */
const TELLTALE = "caret-color";

/** `own`: the colors that classes were given; `at`: colors are read again when it changes. Null until the element is there. */
export function useInk(
  element: RefObject<HTMLElement | null>,
  own: Readonly<Record<string, string>>,
  at: unknown,
): { ink: Ink | null; onTransitionRun: (event: TransitionEvent) => void } {
  const [colors, setColors] = useState<string | null>(null);
  const read = useCallback(() => {
    if (element.current !== null) setColors(readTokens(element.current).join("\n"));
  }, [element]);
  useLayoutEffect(read, [read, at]);
  const onTransitionRun = useCallback(
    ({ propertyName }: TransitionEvent) => {
      if (propertyName === TELLTALE) read();
    },
    [read],
  );
  const ink = useMemo(() => (colors === null ? null : inkOf(colors.split("\n"), own)), [colors, own]);
  return { ink, onTransitionRun };
}

function inkOf(colors: readonly string[], own: Readonly<Record<string, string>>): Ink {
  const known = new Map(TOKENS.map((token, i) => [token, colors[i]]));
  return (label) => {
    const given = label === null ? undefined : own[label];
    const color = given !== undefined ? keptColor(given) : label === null ? NEUTRAL : hueToken(label % NUM_HUES);
    return known.get(color) ?? color;
  };
}

function readTokens(element: HTMLElement): string[] {
  const probe = document.createElement("span");
  probe.append(
    ...TOKENS.map((token) => {
      const one = document.createElement("i");
      one.style.color = token;
      return one;
    }),
  );
  element.append(probe);
  const colors = Array.from(probe.children, (one) => getComputedStyle(one).color);
  probe.remove();
  return colors;
}
