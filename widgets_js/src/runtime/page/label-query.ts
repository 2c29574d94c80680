// The part of TQL that a page can answer without a kernel: select * where <conditions on class labels> sample by
// <weights of such conditions>. Its grammar is that of penstock/tql/syntax; all else is left to a kernel.
import type { RpcError } from "../../session/protocol.ts";

export interface Span {
  from: number;
  to: number;
}

export interface Word extends Span {
  kind: "text" | "int";
  value: string | number;
}

export type Condition = Span &
  (
    | { op: "and" | "or"; left: Condition; right: Condition }
    | { op: "not"; operand: Condition }
    | { op: "constant"; value: boolean }
    | { op: "contains"; column: string; word: Word }
    | { op: "equals"; column: string; word: Word; negated: boolean }
    | { op: "in"; column: string; words: Word[]; negated: boolean }
  );

export interface Clause extends Span {
  condition: Condition;
  weight: number;
  literal: Span;
  /** Of classes(column, $name): a clause for each class of a table of weights; the condition matches nothing then. */
  table?: { column: string; name: string };
}

export interface Sampling extends Span {
  combine: "max" | "sum" | "product";
  clauses: Clause[];
  cap: number | null;
  replace: boolean;
  size: number | null;
}

export interface LabelQuery {
  where: Condition | null;
  limit: number | null;
  offset: number | null;
  sampling: Sampling | null;
  end: number; // where the last token ends, a ; left out
}

export class Refusal extends Error {
  readonly error: RpcError;
  constructor(error: RpcError) {
    super(error.message);
    this.error = error;
  }
}

const NEEDS_KERNEL =
  "This needs a kernel: without one, conditions can only test class labels, as in contains(labels, 'name')";

/** What only a kernel can do, said in one sentence. */
export function needsKernel(at?: Span, message = NEEDS_KERNEL): Refusal {
  return new Refusal({ code: "StaticPage", message, ...(at === undefined ? {} : { from: at.from, to: at.to }) });
}

interface Token extends Span {
  kind: "name" | "number" | "string" | "quoted" | "op" | "other" | "end";
  word: string; // upper case of names, the text of operators
  text: string;
}

const TOKEN =
  /\s*(?:([A-Za-z_][A-Za-z0-9_]*)|(--[^\n]*|#[^\n]*|\/\*[\s\S]*?\*\/)|((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|('[^']*(?:''[^']*)*')|("[^"]*(?:""[^"]*)*")|(\$[A-Za-z_][A-Za-z0-9_]*|\?)|(=>|==|!=|<>|<=|>=|\|\||\/\/|[-+*/%=<>()[\]:,.;])|($))/y;
const KINDS = ["name", "comment", "number", "string", "quoted", "other", "op", "end"] as const;
const MAX_LENGTH = 200_000;
const MAX_DEPTH = 200;
// what cannot be a column unless it is quoted; words that are names too where nothing asks for them are left out
export const RESERVED = new Set(
  (
    "ALL AND ARRANGE AS ASC BETWEEN BY CASE CAST CROSS DESC DISTINCT ELSE END EXCEPT EXPAND FALSE FROM FULL GROUP " +
    "HAVING ILIKE IN INNER INTERSECT IS JOIN LEFT LIKE LIMIT NOT NULL OFFSET ON OR ORDER OUTER OVERLAP RIGHT SAMPLE " +
    "SELECT THEN TRUE UNGROUP UNION USING WHEN WHERE WITH"
  ).split(" "),
);
const COMBINE: Record<string, Sampling["combine"]> = {
  MAX_WEIGHT: "max",
  SUM_WEIGHT: "sum",
  PRODUCT_WEIGHT: "product",
};

function tokenize(text: string): Token[] {
  if (text.length > MAX_LENGTH) throw needsKernel();
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(text);
    if (found === null) throw unreadable(text, at);
    at = TOKEN.lastIndex;
    const token = tokenOf(found, at);
    if (token !== null) tokens.push(token);
    if (token?.kind === "end") return tokens;
  }
}

/** Null for a comment. */
function tokenOf(found: RegExpExecArray, to: number): Token | null {
  const place = found.findIndex((part, i) => i > 0 && part !== undefined);
  const kind = KINDS[place - 1];
  const text = found[place] as string;
  if (kind === undefined || kind === "comment") return null;
  const word = kind === "op" ? text : kind === "name" ? text.toUpperCase() : "";
  return { kind, word, text, from: to - text.length, to };
}

function unreadable(text: string, start: number): Refusal {
  const from = start + (text.slice(start).length - text.slice(start).trimStart().length);
  const character = String.fromCodePoint(text.codePointAt(from) ?? 0);
  const what = character === "'" ? "unterminated string" : `unexpected character '${character}'`;
  const to = character === "'" || character === '"' ? text.length : from + character.length;
  return wrong(character === '"' ? "unterminated name in double quotes" : what, { from, to });
}

export function wrong(message: string, { from, to }: Span, code = "QuerySyntaxError", fix?: string): Refusal {
  return new Refusal({ code, message, from, to, ...(fix === undefined ? {} : { fix }) });
}

export function parseQuery(text: string): LabelQuery {
  return new Parser(text).statement();
}

class Parser {
  private readonly tokens: Token[];
  private at = 0;
  private depth = 0;

  constructor(text: string) {
    this.tokens = tokenize(text);
  }

  statement(): LabelQuery {
    this.expect("SELECT");
    this.expect("*");
    const where = this.accept("WHERE") ? this.either() : null;
    const limit = this.accept("LIMIT") ? this.count() : null;
    const offset = this.accept("OFFSET") ? this.count() : null;
    const start = this.token;
    const sampling = this.accept("SAMPLE") ? this.sampling(start) : null;
    const { to } = this.tokens[this.at - 1] as Token;
    this.accept(";");
    if (this.token.kind !== "end") throw this.beyond();
    return { where, limit, offset, sampling, end: to };
  }

  private get token(): Token {
    return this.tokens[this.at] as Token;
  }

  private peek(): Token {
    return this.tokens[Math.min(this.at + 1, this.tokens.length - 1)] as Token;
  }

  private advance(): Token {
    const token = this.token;
    if (token.kind !== "end") this.at++;
    return token;
  }

  private accept(word: string): boolean {
    if (this.token.word !== word) return false;
    this.advance();
    return true;
  }

  private expect(word: string): Token {
    if (this.token.word !== word) throw this.beyond(word);
    return this.advance();
  }

  /** A text that only lacks its end is wrong; any other word may be one that a kernel knows. */
  private beyond(expected?: string): Refusal {
    const token = this.token;
    if (token.kind !== "end") return needsKernel(token);
    return wrong(expected === undefined ? "the query ends too early" : `expected ${expected.toLowerCase()}`, token);
  }

  private count(): number {
    const token = this.token;
    if (token.kind !== "number" || !/^\d{1,15}$/.test(token.text)) throw this.beyond("a number");
    this.advance();
    return Number(token.text);
  }

  private flag(): boolean {
    if (this.accept("FALSE")) return false;
    this.accept("TRUE");
    return true;
  }

  private either(): Condition {
    if (++this.depth > MAX_DEPTH) throw needsKernel(this.token);
    let left = this.both();
    while (this.accept("OR")) left = joined("or", left, this.both());
    this.depth--;
    return left;
  }

  private both(): Condition {
    let left = this.negation();
    while (this.accept("AND")) left = joined("and", left, this.negation());
    return left;
  }

  private negation(): Condition {
    const { from } = this.token;
    if (!this.accept("NOT")) return this.comparison();
    if (++this.depth > MAX_DEPTH) throw needsKernel(this.token);
    const operand = this.negation();
    this.depth--;
    return { op: "not", operand, from, to: operand.to };
  }

  private comparison(): Condition {
    const found = this.atom();
    if (COMPARES.has(this.token.word)) throw needsKernel(this.token);
    if (this.token.word === "NOT" && NEGATABLE.has(this.peek().word)) throw needsKernel(this.token);
    return found;
  }

  private atom(): Condition {
    const token = this.token;
    if (token.word === "(") return this.inParentheses();
    if (token.word === "TRUE" || token.word === "FALSE") {
      this.advance();
      return { op: "constant", value: token.word === "TRUE", from: token.from, to: token.to };
    }
    if (token.kind === "name" && token.word === "CONTAINS" && this.peek().word === "(") return this.contains();
    if (token.kind === "string" || token.kind === "number") return this.reversed();
    return this.aboutColumn();
  }

  private inParentheses(): Condition {
    const { from } = this.advance();
    const inside = this.either();
    return { ...inside, from, to: this.expect(")").to };
  }

  private contains(): Condition {
    const { from } = this.advance();
    this.expect("(");
    const column = this.column();
    this.expect(",");
    const word = this.word();
    this.accept(",");
    return { op: "contains", column, word, from, to: this.expect(")").to };
  }

  private reversed(): Condition {
    const word = this.word();
    const negated = this.sign();
    const { to } = this.token;
    return { op: "equals", column: this.column(), word, negated, from: word.from, to };
  }

  private aboutColumn(): Condition {
    const { from } = this.token;
    const column = this.column();
    const negated = this.token.word === "NOT" && this.peek().word === "IN" && this.accept("NOT");
    if (this.accept("IN")) {
      const words = this.list();
      return { op: "in", column, words, negated, from, to: (this.tokens[this.at - 1] as Token).to };
    }
    const differs = this.sign();
    const word = this.word();
    return { op: "equals", column, word, negated: differs, from, to: word.to };
  }

  private sign(): boolean {
    const { word } = this.token;
    if (!["=", "==", "!=", "<>"].includes(word)) throw this.beyond("=");
    this.advance();
    return word === "!=" || word === "<>";
  }

  private list(): Word[] {
    this.accept("ARRAY");
    const closing = this.token.word === "[" ? "]" : ")";
    this.expect(closing === "]" ? "[" : "(");
    const words = [this.word()];
    while (this.accept(",")) words.push(this.word());
    this.expect(closing);
    return words;
  }

  private column(): string {
    const token = this.token;
    const isName = token.kind === "quoted" || (token.kind === "name" && !RESERVED.has(token.word));
    if (!isName) throw this.beyond("a class label");
    this.advance();
    return token.kind === "quoted" ? token.text.slice(1, -1).replaceAll('""', '"') : token.text;
  }

  private word(): Word {
    const token = this.token;
    if (token.kind === "string") {
      this.advance();
      return { kind: "text", value: token.text.slice(1, -1).replaceAll("''", "'"), from: token.from, to: token.to };
    }
    if (token.kind !== "number" || !/^\d{1,15}$/.test(token.text)) throw this.beyond("a class in quotes");
    this.advance();
    return { kind: "int", value: Number(token.text), from: token.from, to: token.to };
  }

  private sampling({ from }: Token): Sampling {
    this.expect("BY");
    const combine = COMBINE[this.token.word];
    if (combine === undefined) throw this.beyond("max_weight");
    this.advance();
    this.expect("(");
    const clauses: Clause[] = [];
    let cap: number | null = null;
    do {
      if (clauses.length > 0 && this.token.word === ")") break;
      if (this.token.word === "CAP" && this.peek().word === "=>" && combine === "product") {
        this.advance();
        this.advance();
        cap = this.number().weight;
      } else clauses.push(this.pair());
    } while (this.accept(","));
    this.expect(")");
    if (clauses.length === 0) throw this.beyond();
    const replace = this.accept("REPLACE") ? this.flag() : true;
    const size = this.accept("LIMIT") ? this.count() : null;
    if (size === 0) throw needsKernel(this.tokens[this.at - 1]);
    return { combine, clauses, cap, replace, size, from, to: (this.tokens[this.at - 1] as Token).to };
  }

  private pair(): Clause {
    if (this.token.word === "CLASSES" && this.peek().word === "(") return this.table();
    const condition = this.either();
    this.expect(":");
    const { weight, literal } = this.number();
    return { condition, weight, literal, from: condition.from, to: literal.to };
  }

  private table(): Clause {
    const { from } = this.advance();
    this.expect("(");
    const column = this.column();
    this.expect(",");
    const { text } = this.token;
    if (!text.startsWith("$")) throw this.beyond("a table of weights");
    this.advance();
    const { to } = this.expect(")");
    const condition: Condition = { op: "constant", value: false, from, to };
    return { condition, weight: 1, literal: { from, to }, from, to, table: { column, name: text.slice(1) } };
  }

  private number(): { weight: number; literal: Span } {
    const token = this.token;
    if (token.kind !== "number" || !Number.isFinite(Number(token.text))) throw this.beyond("a weight");
    this.advance();
    return { weight: Number(token.text), literal: { from: token.from, to: token.to } };
  }
}

const COMPARES = new Set("= == != <> < <= > >= IN BETWEEN LIKE ILIKE IS + - * / // % || [ .".split(" "));
const NEGATABLE = new Set(["IN", "BETWEEN", "LIKE", "ILIKE"]);

function joined(op: "and" | "or", left: Condition, right: Condition): Condition {
  return { op, left, right, from: left.from, to: right.to };
}
