// TQL's tokens as penstock/tql/syntax/_lexer.py has them; a test holds the keyword tables equal. Colors only: the kernel parses.

export const KEYWORDS: ReadonlySet<string> = new Set(
  `ALL AND ARRANGE AS ASC BETWEEN BY CASE CAST CROSS DESC DISTINCT ELSE END EXCEPT EXPAND FALSE FROM FULL GROUP
  HAVING ILIKE IN INNER INTERSECT IS JOIN LEFT LIKE LIMIT NOT NULL NULLS OFFSET ON OR ORDER OUTER OVERLAP REPLACE
  RIGHT SAMPLE SELECT THEN TRUE UNGROUP UNION USING WHEN WHERE WITH AT PERCENT SPLIT ARRAY DATE TIMESTAMP FIRST
  LAST`.split(/\s+/),
);

const CONSTANTS: ReadonlySet<string> = new Set(["TRUE", "FALSE", "NULL"]);

export type TokenKind =
  | "keyword"
  | "constant"
  | "function"
  | "name"
  | "number"
  | "string"
  | "comment"
  | "operator"
  | "error";

export interface Token {
  kind: TokenKind;
  from: number; // UTF-16
  to: number;
}

// an unterminated string or comment runs to the end of its line or text, so that typing one does not recolor the rest
const PATTERN =
  /(?<blank>\s+)|(?<comment>--[^\n]*|#[^\n]*|\/\*(?:[^*]|\*(?!\/))*(?:\*\/)?)|(?<name>[A-Za-z_][A-Za-z0-9_]*|\$[A-Za-z_]\w*|"[^"]*(?:""[^"]*)*"?)|(?<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?<string>'[^']*(?:''[^']*)*'|'[^\n]*)|(?<operator>=>|==|!=|<>|<=|>=|\|\||\/\/|[-+*/%=<>()[\]:,.;?])|(?<error>[\s\S])/gy;

function nameKind(text: string, name: string, to: number): TokenKind {
  const word = name.toUpperCase();
  if (CONSTANTS.has(word)) return "constant";
  const called = /^\s*\(/.test(text.slice(to, to + 20));
  if (KEYWORDS.has(word) && !(called && !["IN", "AND", "OR", "NOT", "BY", "WHERE"].includes(word))) return "keyword";
  return called ? "function" : "name";
}

export function tokens(text: string): Token[] {
  const found: Token[] = [];
  for (const match of text.matchAll(PATTERN)) {
    const [kind] = Object.entries(match.groups ?? {}).find(([, value]) => value !== undefined) ?? ["error"];
    if (kind === "blank") continue;
    const to = match.index + match[0].length;
    found.push({ kind: kind === "name" ? nameKind(text, match[0], to) : (kind as TokenKind), from: match.index, to });
  }
  return found;
}
