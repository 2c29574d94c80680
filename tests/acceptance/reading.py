"""The code in a page of prose: statements, queries, shell lines and signatures."""

from __future__ import annotations

import ast
import doctest
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["python", "query", "shell", "signature"]
CODE = (ast.Import, ast.ImportFrom, ast.Assign, ast.For, ast.With, ast.FunctionDef)
COMPOUND = re.compile(r"(for|with|def) .*:$")
SHELL = re.compile(r"> |(wget|ls|tar|rm) ")
SIGNATURE = re.compile(r"\w+\(.*\)$")
LOOKS_LIKE_CODE = re.compile(r"(?!\s*[A-Z•]).*\w\(|[\w.]+ = |>>> (?!#)|> |select |class |pip |wget |ls |tar |rm ")
MOST_LINES = 12  # of a statement without a block


@dataclass(frozen=True)
class Block:
    """Code of a page as it is written there: its kind, its text, the numbers of its lines."""

    kind: Kind
    text: str
    lines: range


def code_of(page: str) -> list[Block]:
    """Return the code of a page: what its fences hold, or its prompts, or what reads as code between its prose."""
    find = _fenced if "```" in page else _prompted if ">>> " in page else _plain
    return sorted(find(page), key=lambda block: block.lines.start)


def unread(page: str, blocks: list[Block]) -> list[str]:
    """Return the lines that look like code and are in no block."""
    read = {number for block in blocks for number in block.lines}
    lines = enumerate(page.splitlines())
    return [line for number, line in lines if number not in read and LOOKS_LIKE_CODE.match(line)]


def _fenced(page: str) -> Iterator[Block]:
    for found in re.finditer(r"^```(\w*)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        language, text = found.groups()
        start = page.count("\n", 0, found.start(2))
        kind: Kind = "query" if language == "sql" else "shell" if text.startswith("pip") else "python"
        yield Block(kind, text, range(start, start + text.count("\n")))


def _prompted(page: str) -> Iterator[Block]:
    for example in doctest.DocTestParser().get_examples(page):
        yield Block("python", example.source, range(example.lineno, example.lineno + example.source.count("\n")))
    for number, line in enumerate(page.splitlines()):
        if SIGNATURE.match(line):
            yield Block("signature", line, range(number, number + 1))


def _plain(page: str) -> Iterator[Block]:
    lines = [line.rstrip() for line in page.splitlines()]
    number = 0
    while number < len(lines):
        block = _block_at(lines, number)
        if block is not None:
            yield block
        number = number + 1 if block is None else block.lines.stop


def _block_at(lines: list[str], start: int) -> Block | None:
    """Return the code that begins in a line, or None if that line is prose."""
    if not lines[start] or lines[start].startswith("#"):
        return None
    if SHELL.match(lines[start]):
        return Block("shell", lines[start], range(start, start + 1))
    kind: Kind = "query" if lines[start].startswith("select ") else "python"
    for stop in _stops(lines, start):
        text = "\n".join(lines[start:stop])
        if text.count("(") == text.count(")") if kind == "query" else _is_code(text):
            return Block(kind, text, range(start, stop))
    return None


def _stops(lines: list[str], start: int) -> Iterator[int]:
    """Yield where what begins in a line may end: with its block if it has one, else after some lines."""
    if not COMPOUND.match(lines[start]):
        yield from range(start + 1, min(start + MOST_LINES, len(lines)) + 1)
        return
    stop = start + 1
    while stop < len(lines) and lines[stop].startswith((" ", "#")) | (not lines[stop]):
        stop += 1
    while not lines[stop - 1]:
        stop -= 1
    yield stop


def _is_code(text: str) -> bool:
    try:
        statements = parsed(text).body
    except SyntaxError:
        return False
    return any(
        isinstance(one, CODE) or (isinstance(one, ast.Expr) and isinstance(one.value, ast.Call)) for one in statements
    )


def parsed(text: str) -> ast.Module:
    """Return the statements; a block that has comments alone gets a body that does nothing."""
    try:
        return ast.parse(text)
    except IndentationError:
        return ast.parse(f"{text}\n    pass")
