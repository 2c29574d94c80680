// Errors that wait until the typing has paused.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CalmErrors, oneSentence, PAUSE_MS } from "../src/query/calm-errors.ts";
import type { Diagnostic } from "../src/session/protocol.ts";

const error = (from: number, to: number, message = "unknown column 'x'"): Diagnostic => ({
  from,
  to,
  message,
  severity: "error",
  fix: null,
});
const warning: Diagnostic = { ...error(0, 1, "slow"), severity: "warning" };
const shown = (errors: CalmErrors): string[] => errors.shown.value.diagnostics.map(({ message }) => message);

describe("calm errors", () => {
  let errors: CalmErrors;
  beforeEach(() => {
    vi.useFakeTimers();
    errors = new CalmErrors();
  });
  afterEach(() => {
    errors.dispose();
    vi.useRealTimers();
  });

  it("wait for a pause in the typing", () => {
    errors.typed(3, 4);
    vi.advanceTimersByTime(100);
    errors.found("text", [error(3, 4)]);
    expect(shown(errors)).toEqual([]);
    vi.advanceTimersByTime(PAUSE_MS - 101);
    expect(shown(errors)).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(shown(errors)).toEqual(["unknown column 'x'"]);
  });

  it("are not shown when the next key corrects them", () => {
    errors.typed(3, 4);
    errors.found("text", [error(3, 4)]);
    vi.advanceTimersByTime(PAUSE_MS - 10);
    errors.typed(4, 5);
    errors.found("text", []);
    vi.advanceTimersByTime(5000);
    expect(shown(errors)).toEqual([]);
  });

  it("go at once when the kernel no longer finds them", () => {
    errors.found("text", [error(3, 4)]);
    errors.typed(9, 10);
    expect(shown(errors)).toHaveLength(1);
    errors.found("text", []);
    expect(shown(errors)).toEqual([]);
  });

  it("go when one types in what they are about", () => {
    errors.found("text", [error(3, 6), error(20, 22, "other")]);
    errors.typed(6, 7);
    expect(shown(errors)).toEqual(["other"]);
  });

  it("stay while one types elsewhere, at the places of the new text", () => {
    errors.found("text", [error(3, 6)]);
    errors.typed(0, 1);
    errors.found("atext", [error(4, 7)]);
    expect(errors.shown.value.diagnostics[0]?.from).toBe(4);
    expect(errors.shown.value.text).toBe("atext");
  });

  it("of a run are shown at once, and warnings do not wait", () => {
    errors.typed(0, 1);
    errors.found("text", [warning]);
    expect(shown(errors)).toEqual(["slow"]);
    errors.found("text", [error(3, 4)], true);
    expect(shown(errors)).toEqual(["unknown column 'x'"]);
  });
});

describe("one sentence", () => {
  it.each([
    ["'Rng' is not a class of labels. Expected one of: Square, Star", "'Rng' is not a class of labels"],
    [
      "ambiguous condition: boxes has several elements per row. Hint: write any(boxes)",
      "ambiguous condition: boxes has several elements per row",
    ],
    ["LIMIT must be >= 0, not -3", "LIMIT must be >= 0, not -3"],
    ["value 0.5 is too small.", "value 0.5 is too small"],
    ["'a.b' does not exist. Hint: x", "'a.b' does not exist"],
  ])("%s", (message, sentence) => expect(oneSentence(message)).toBe(sentence));
});
