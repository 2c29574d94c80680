// @vitest-environment node
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { KEYWORDS, tokens } from "../src/query/tokens.ts";

const shown = (text: string): string[] => tokens(text).map(({ kind, from, to }) => `${kind}:${text.slice(from, to)}`);

const GOLDEN = JSON.parse(
  readFileSync(join(import.meta.dirname, "..", "..", "tests", "golden", "tokens.json"), "utf8"),
) as { keywords: string; cases: { text: string; tokens: string[] }[] };

describe("tokens", () => {
  it.each(GOLDEN.cases)("colors $text as the kernel does", ({ text, tokens: expected }) => {
    expect(shown(text)).toEqual(expected);
  });

  it("covers any text without gaps but blanks, and ends", () => {
    const text = "sélect ¤ 🙂 '🙂' <img src=x onerror=alert(1)>";
    const covered = tokens(text).map(({ from, to }) => text.slice(from, to));
    expect(covered.join("")).toBe(text.replace(/\s+/g, ""));
  });

  it("has the kernel's keywords", () => expect([...KEYWORDS].sort().join(" ")).toBe(GOLDEN.keywords));
});
