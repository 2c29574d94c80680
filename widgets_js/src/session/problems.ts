// Why an image is not shown, in the few words a tile has room for.
import type { Problem } from "./protocol.ts";

const WORDS: Record<Problem, string> = {
  refused: "access denied",
  unreachable: "not reachable",
  missing: "file missing",
  damaged: "cannot decode",
  none: "no image",
  other: "cannot be shown",
};

const AGAIN: ReadonlySet<Problem> = new Set(["refused", "unreachable", "missing", "other"]);

export function problemWords(problem: Problem | null | undefined): string {
  return WORDS[problem ?? "other"];
}

/** Whether another try may end otherwise. */
export function canRetry(problem: Problem | null | undefined): boolean {
  return problem != null && AGAIN.has(problem);
}
