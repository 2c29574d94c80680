"""Write the pages of docs/reference that follow from the code: `python docs/write_reference.py`.

A test compares the pages with what this script would write, so that a new function, option, error or trait
is not forgotten.
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import tempfile
import textwrap
from pathlib import Path

import numpy as np
import traitlets

import penstock
from penstock import errors, widgets
from penstock.cli._arguments import build_parser
from penstock.tql.functions._registry import FUNCTIONS

FOLDER = Path(__file__).parent / "reference"
WIDTH = 100
DIFFERENT_EACH_TIME = {
    "uid": "different in each dataset",
    "random": "different for each seed",
    "random_int": "different for each seed",
}
NOTE = "<!-- docs/write_reference.py writes this page from {source} -->"


def pages():
    """Return the text of each page by its file name."""
    return {
        "tql-functions.md": functions_page(),
        "command-line.md": commands_page(),
        "errors.md": errors_page(),
        "widgets.md": widgets_page(),
    }


def head(title, source, text):
    return [f"# {title}", "", NOTE.format(source=source), "", *wrapped(text), ""]


def wrapped(text):
    return [
        line
        for part in text.strip().split("\n\n")
        for line in (*textwrap.wrap(part, WIDTH, break_on_hyphens=False, break_long_words=False), "")
    ][:-1]


def table(columns, rows):
    return [
        f"| {' | '.join(columns)} |",
        f"|{'---|' * len(columns)}",
        *(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows),
        "",
    ]


def code(text):
    return f"`{text}`" if text else ""


# ---- functions of the query language -----------------------------------------------------------------


def examples():
    """Return an expression for each function."""
    lines = (FOLDER / "tql-examples.tsv").read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t") for line in lines)


ROWS = {
    "categories": [["car"], ["car", "bus"], ["bus"], ["truck", "person"]],
    "boxes": [[[0, 0, 2, 2]], [[0, 0, 4, 2], [1, 1, 3, 3]], [[2, 1, 2, 2]], [[0, 0, 6, 4], [3, 1, 2, 2]]],
    "label": ["day", "night", "day", "night"],
    "name": [f"IMG_{number}.jpg" for number in range(4)],
    "score": [0.25, -0.4, 0.5, 0.8],
    "embedding": [[1, 0, 0], [0, 1, 0], [0.6, 0.8, 0], [0, 0, 2]],
    "taken": ["2024-01-15 08:30", "2024-02-15 09:45", "2024-03-15 10:00", "2024-04-15 11:15"],
    "meta": [{"iso": 100}, {"iso": 200}, {}, {"iso": 400}],
}
LOSSES = [0.1, 2.5, 0.3, 1.2]


def rows_of_the_page(folder):
    """Return the dataset of four samples that the examples are computed on, with a run that recorded losses."""
    images = [np.full((4, 6, 3), 30 * number, np.uint8) for number in range(4)]
    ds = penstock.from_arrays(
        {"images": images, **ROWS},
        folder,
        htypes={"boxes": "bbox", "embedding": "embedding", "name": "text", "taken": "text", "meta": "json"},
        class_names={"categories": ["car", "bus", "truck", "person"], "label": ["day", "night"]},
        coords="xywh",
        progress=False,
    )
    with ds.start_run("baseline") as run:
        run.record(np.arange(4), None, {"loss": np.array(LOSSES)})
        run.write()
    return ds


def answers(ds, expressions):
    """Return what each expression is in each sample, as text."""
    named = ", ".join(f"{expression} as value_{number}" for number, expression in enumerate(expressions))
    found = ds.query(f"select {named}")
    return [[shown(value) for value in samples(found[f"value_{n}"])] for n in range(len(expressions))]


def samples(column):
    return [column[row].data()["value"] for row in range(4)]


def shown(value):
    """Return a value as the query language has it."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, (list, np.ndarray)):
        return f"[{', '.join(shown(one) for one in value)}]"
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value)).lower()
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return "NULL"
    if isinstance(value, (int, float, np.number)):
        return f"{value or 0:.4g}"  # never -0
    return repr(value) if isinstance(value, str) else json.dumps(value)


def functions_page():
    """Return the page of the functions, each with an example and what it gives."""
    builtin = sorted((found for found in FUNCTIONS.values() if not found.user), key=lambda found: found.name)
    expressions = examples()
    with tempfile.TemporaryDirectory() as folder:
        ds = rows_of_the_page(f"{folder}/page.penstock")
        given = answers(ds, [expressions[found.name] for found in builtin])
    body = []
    for found, values in zip(builtin, given, strict=True):
        text = DIFFERENT_EACH_TIME.get(found.name) or ", ".join(values)
        body.append([code(found.signature), found.summary, code(expressions[found.name]), text])
    text = (
        "Every function of [TQL](../tql.md), with an example and its value in each of the [four "
        "samples](#the-four-samples) below. Functions can be used in `select`, `where`, `order by` and as weights.\n\n"
        "`sum`, `avg`, `min`, `max`, `count`, `unique` and similar functions reduce the elements of a row. "
        "After `group by` they reduce the rows of a group and, if nothing else is selected, the whole result. "
        "Applied to images, they reduce the pixels of each image. [Custom functions](../tql.md#functions) can be "
        "added in Python."
    )
    rows = [[code(name), *(cell(value) for value in values)] for name, values in ROWS.items()]
    return "\n".join(
        [
            *head("TQL functions", "the functions and tql-examples.tsv", text),
            *table(["function", "what it returns", "example", "in the four samples"], body),
            "## The four samples",
            "",
            *wrapped(
                "`images` are 4 pixels high, 6 wide, and 0, 30, 60 and 90 bright. `categories` and `label` are class "
                f"labels, `meta` is JSON, and the newest run recorded the losses {', '.join(map(str, LOSSES))}."
            ),
            "",
            *table(["tensor", "sample 0", "sample 1", "sample 2", "sample 3"], rows),
        ]
    )


def cell(value):
    return ", ".join(value) if isinstance(value, list) and isinstance(value[0], str) else str(value)


# ---- commands ----------------------------------------------------------------------------------------


def subcommands(parser):
    """Return name, parser and help of each command of a parser."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help for choice in action._choices_actions}
            return [(name, sub, helps.get(name, "")) for name, sub in action.choices.items()]
    return []


def commands_page():
    """Return the page of the command `penstock`."""
    parser = build_parser()
    text = (
        "`penstock COMMAND --help` prints the same in the terminal. `python -m penstock.cli` is the same program.\n\n"
        "Exit status: 0 on success, 1 on failure, 2 for wrong arguments or a wrong query, 130 if interrupted."
    )
    lines = head("Command line", "the arguments of the command", text)
    lines += table(["command", "what it does"], [[code(f"penstock {n}"), what] for n, _, what in subcommands(parser)])
    lines += ["## Examples", "", "```", *parser.epilog.split("\n", 1)[1].rstrip().split("\n"), "```", ""]
    for name, command, what in subcommands(parser):
        lines += command_lines(f"penstock {name}", command, what, "##")
        for kind, sub, about in subcommands(command):
            lines += command_lines(f"penstock {name} {kind}", sub, about, "###")
    return "\n".join(textwrap.dedent(line) if line.startswith("  penstock") else line for line in lines)


def command_lines(name, parser, what, level):
    """Return the heading, the text and the arguments of a command."""
    nested = bool(subcommands(parser))
    actions = [one for one in parser._actions if not isinstance(one, argparse._SubParsersAction) and one.dest != "help"]
    rows = [[code(usage(one)), (one.help or "").replace("%(default)s", str(one.default))] for one in actions]
    text = parser.description or f"{what[:1].upper()}{what[1:]}."
    lines = [f"{level} {name}", "", *wrapped(text), ""]
    if nested:
        return [*lines, *table(["", "what it is"], [[code(kind), about] for kind, _, about in subcommands(parser)])]
    return [*lines, *table(["argument", "meaning"], rows)]


def usage(action):
    """Return an argument as one types it."""
    shown_name = action.metavar or (f"{{{','.join(action.choices)}}}" if action.choices else action.dest.upper())
    if not action.option_strings:
        return f"[{shown_name}]" if action.nargs == "?" else shown_name
    return action.option_strings[-1] if action.nargs == 0 else f"{action.option_strings[-1]} {shown_name}"


# ---- errors ------------------------------------------------------------------------------------------


def errors_page():
    """Return the page of the errors, as a tree."""
    text = (
        "What goes wrong with data, queries, storage, sampling and training is a `PenstockError`, and also the "
        "built-in error that a Python user expects, which is in parentheses below. (A wrong argument of a widget is "
        "Python's own `TypeError` or `ValueError`.) An error is raised before anything is changed. Its message says "
        "what is wrong, with the value, and what was expected; `error.hint` says what to do, if that is known."
    )
    block = """```python
import penstock

try:
    penstock.demo()["lables"]
except penstock.errors.TensorNotFoundError as error:
    print(error)  # 'lables' is not a tensor of this dataset. Expected one of: images, boxes, labels. Hint: …
    assert error.hint == "did you mean 'labels'?"
```"""
    closing = (
        "Facts are attributes: an error of a query has `line`, `column` and `suggestion`, a conflict has `conflicts`, "
        "a missing class has `available`. The [API](../api.rst) lists them."
    )
    lines = head("Errors", "penstock/errors.py", text)
    return "\n".join([*lines, block, "", *wrapped(closing), "", *branch(errors.PenstockError, 0), ""])


def branch(cls, depth):
    """Return the lines of a class of errors and of those below it."""
    ours = [base for base in cls.__bases__ if base.__module__ != "builtins"]
    known = [base.__name__ for base in cls.__bases__ if base.__module__ == "builtins" and base is not Exception]
    assert len(ours) <= 1
    named = f" ({', '.join(code(name) for name in known)})" if known else ""
    first = inspect.getdoc(cls).split("\n\n")[0].replace("\n", " ")
    indent = "  " * depth
    lines = textwrap.wrap(
        f"{indent}- **`{cls.__name__}`**{named}: {first}",
        WIDTH,
        subsequent_indent=indent + "  ",
        break_on_hyphens=False,
    )
    return [*lines, *(line for below in below_of(cls) for line in branch(below, depth + 1))]


def below_of(cls):
    """Return the public errors below one, as they are written in the module."""
    return [one for one in vars(errors).values() if inspect.isclass(one) and cls in one.__bases__]


# ---- widgets -----------------------------------------------------------------------------------------


def widgets_page():
    """Return the page of the widgets and the state they share with the browser."""
    of_sessions = described_in(widgets.Session, "Parameters")
    described = {
        name: what.replace("As of `Session`", of_sessions.get(name, "").rstrip("."))
        for name, what in described_in(widgets.Explorer, "Attributes").items()
    }
    own = widgets.Explorer.class_traits()
    names = [name for name in own if name in described and not name.startswith("_")]
    rows = [[code(name), kind(own[name]), described[name]] for name in names]
    classes = [getattr(widgets, name) for name in widgets.__all__]
    shown_classes = [cls for cls in classes if inspect.isclass(cls) and issubclass(cls, traitlets.HasTraits)]
    text = (
        "Each widget takes a dataset, a view or a session, and the options of "
        "[`penstock.explore`](../api.rst). Widgets made from one session are linked. [The Explorer](../explorer.md) "
        "describes what each control does."
    )
    state = (
        "These attributes are traits: read them, assign them, `observe` them, or `link` them with other widgets. "
        "Assigning a value that is not valid raises an error and changes nothing."
    )
    asked = [
        [code(name), first_line(getattr(widgets.Explorer, name))]
        for name in ("view", "spec", "plan", "selected", "session", *METHODS)
    ]
    return "\n".join(
        [
            *head("Widgets and traits", "the classes of penstock.widgets", text),
            *table(["widget", "what it shows"], [[code(cls.__name__), first_line(cls)] for cls in shown_classes]),
            *["## Traits", "", *wrapped(state), ""],
            *table(["trait", "values", "meaning"], rows),
            *["## What Python can ask", "", *table(["attribute or method", "what it gives"], asked)],
        ]
    )


METHODS = ("loader", "export_code", "export_cell", "to_html", "freeze", "close")


def first_line(thing):
    return inspect.getdoc(thing).split("\n")[0]


def kind(trait):
    """Return the values a trait takes."""
    if isinstance(trait, traitlets.Enum):
        return ", ".join(code(value) for value in trait.values)
    names = {"Unicode": "text", "Int": "integer", "Dict": "dictionary", "Panel": "dictionary", "Weights": "numbers"}
    found = next(value for name, value in names.items() if name in type(trait).__name__)
    return f"{found} or None" if trait.allow_none else found


def described_in(cls, title):
    """Return what a section in the docstrings of a class and its bases says about each name."""
    found = {}
    for base in cls.__mro__:
        text = inspect.cleandoc(vars(base).get("__doc__") or "")
        section = re.search(rf"^{title}\n-+\n(.*?)(?=^\w+\n-+\n|\Z)", text, re.MULTILINE | re.DOTALL)
        if base.__module__.startswith("penstock") and section:
            for names, what in re.findall(r"^(\w[\w, ]*?)(?: : .*)?\n((?:    .*\n?)+)", section[1], re.MULTILINE):
                found = {name.strip(): " ".join(what.split()) for name in names.split(",")} | found
    return found


if __name__ == "__main__":
    for page, content in pages().items():
        (FOLDER / page).write_text(content, encoding="utf-8")
