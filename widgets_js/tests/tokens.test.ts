import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { KEYWORDS, tokens } from "../src/query/tokens.ts";

const shown = (text: string): string[] => tokens(text).map(({ kind, from, to }) => `${kind}:${text.slice(from, to)}`);
const LEXER = join(import.meta.dirname, "..", "..", "penstock", "tql", "_lexer.py");

describe("tokens", () => {
  it("tells keywords, functions, names, strings and numbers apart", () => {
    expect(shown("select * where contains(labels, 'O''Neil') limit 1.5e3")).toEqual([
      "keyword:select",
      "operator:*",
      "keyword:where",
      "function:contains",
      "operator:(",
      "name:labels",
      "operator:,",
      "string:'O''Neil'",
      "operator:)",
      "keyword:limit",
      "number:1.5e3",
    ]);
  });

  it("keeps True a constant and a quoted name a name", () => {
    expect(shown('"my col" True $p')).toEqual(['name:"my col"', "constant:True", "name:$p"]);
  });

  it.each([
    ["in (1)", "keyword:in"],
    ["date('2020')", "function:date"],
    ["replace True", "keyword:replace"],
  ])("reads the word before the bracket of %s", (text, first) => expect(shown(text)[0]).toBe(first));

  it("ends an unterminated string with its line", () => {
    expect(shown("'abc\nlimit 3")).toEqual(["string:'abc", "keyword:limit", "number:3"]);
  });

  it.each(["-- all of it", "# all of it", "/* open\nto the end"])("reads the comment %j", (text) => {
    expect(shown(text)).toEqual([`comment:${text}`]);
  });

  it("covers any text without gaps but blanks, and ends", () => {
    const text = "sélect ¤ 🙂 '🙂' <img src=x onerror=alert(1)>";
    const covered = tokens(text).map(({ from, to }) => text.slice(from, to));
    expect(covered.join("")).toBe(text.replace(/\s+/g, ""));
  });

  it.skipIf(!existsSync(LEXER))("has the keywords of the kernel's own table", () => {
    const table = /KEYWORDS = frozenset\(\s*"""([^"]+)"""/.exec(readFileSync(LEXER, "utf8"))?.[1];
    expect([...KEYWORDS].sort()).toEqual(table?.split(/\s+/).filter(Boolean).sort());
  });
});
