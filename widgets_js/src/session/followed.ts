// What only the browser knows goes along when classes are renamed, merged or removed: text that has not run, hidden classes.
import type { FollowedClasses } from "./protocol.ts";

const quoted = (name: string): string => `'${name.replaceAll("'", "''")}'`;

/** A text with other names for classes, wherever one stands in quotes; all at once, so that names can change places. */
export function renamedText(text: string, renames: FollowedClasses["renames"]): string {
  const names = new Map(renames.map(([old, now]) => [quoted(old), quoted(now)]));
  return text.replace(/'(?:[^']|'')*'/g, (literal) => names.get(literal) ?? literal);
}

/** Class indices as they are now; those of classes that are gone are left out. */
export function movedClasses(indices: ReadonlySet<number>, classes: readonly number[] | null): ReadonlySet<number> {
  if (classes === null) return indices;
  return new Set([...indices].map((index) => classes[index] ?? index).filter((index) => index >= 0));
}

/** "The query now says ‘Plus’ instead of ‘Cross’." */
export function renamesInWords(renames: FollowedClasses["renames"]): string {
  const words = renames.slice(0, 3).map(([old, now]) => `“${now}” instead of “${old}”`);
  const more = renames.length > 3 ? ` and ${renames.length - 3} more` : "";
  return `The query now says ${words.join(", ")}${more}.`;
}
