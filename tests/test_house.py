"""What holds the house together: sizes, names, reasons, an import that costs nothing."""

from __future__ import annotations

import ast
import itertools
import re
import statistics
import subprocess
import sys
import tokenize
import tomllib
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "penstock"
MODULES = sorted(PACKAGE.rglob("*.py"))
SCRIPTS = sorted(path for folder in ("tests", "benchmarks", "docs") for path in (ROOT / folder).rglob("*.py"))
MODULE_MEDIAN, MODULE_LIMIT, FUNCTION_LIMIT, FOLDER_LIMIT = 130, 450, 60, 13


def _name(path):
    return path.relative_to(PACKAGE).as_posix()


def test_modules_are_short():
    assert statistics.median(len(path.read_text().splitlines()) for path in MODULES) <= MODULE_MEDIAN


LONG = {"errors.py"}  # the whole tree of errors is read in one place


def test_no_module_is_long():
    assert {_name(path) for path in MODULES if len(path.read_text().splitlines()) > MODULE_LIMIT} <= LONG


def test_functions_fit_on_a_screen():
    nodes = ((_name(path), node) for path in MODULES for node in ast.walk(ast.parse(path.read_text())))
    functions = [(where, node) for where, node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert [(where, node.name) for where, node in functions if _num_lines(node) > FUNCTION_LIMIT] == []


def _num_lines(function):
    """Lines of a function below its signature and docstring."""
    has_docstring = ast.get_docstring(function, clean=False) is not None
    body = function.body[has_docstring:]
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def test_a_folder_holds_about_a_dozen_modules():
    counts = Counter(path.parent for path in MODULES if path.name != "__init__.py")
    assert {_name(folder) for folder, count in counts.items() if count > FOLDER_LIMIT} == set()


WAIVER = re.compile(r"#\s*(?:ruff: )?noqa\b|#\s*type:\s*ignore")
REASONED = re.compile(r"# (?:ruff: )?noqa: [A-Z]+\d+(?:, [A-Z]+\d+)*  \S|# type: ignore\[[a-z,-]+\]  # \S")


def test_every_waiver_of_the_package_states_its_reason():
    assert {path: _waivers_without_reason(path) for path in MODULES if _waivers_without_reason(path)} == {}


def test_every_waiver_of_the_tests_states_its_reason():
    assert {path: _waivers_without_reason(path) for path in SCRIPTS if _waivers_without_reason(path)} == {}


def _waivers_without_reason(path):
    if not WAIVER.search(path.read_text()):
        return []
    with tokenize.open(path) as file:
        comments = [token.string for token in tokenize.generate_tokens(file.readline) if token.type == tokenize.COMMENT]
    return [text for text in comments if WAIVER.search(text) and not REASONED.search(text)]


def test_every_rule_switched_off_states_its_reason():
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    start, end = lines.index("ignore = ["), lines.index("[tool.ruff.lint.flake8-tidy-imports]")
    rules = [line for line in lines[start:end] if re.match(r'    "[A-Z]+\d*",', line)]
    assert [line for line in rules if not re.search(r"# \w", line)] == []


def test_no_module_has_a_name_that_says_nothing():
    said = {"core", "utils", "helpers", "common", "misc"}
    assert not [path for path in MODULES if path.stem.strip("_") in said]


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("__init__.py")), ids=lambda path: str(path.parent.relative_to(ROOT))
)
def test_init_holds_only_imports_beside_a_sorted_all(path):
    tree = ast.parse(path.read_text())
    allowed = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.Expr)
    assert all(isinstance(node, allowed) for node in tree.body)
    names = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and _assigns_all(node)
    ]
    assert names == [sorted(names[0], key=_as_ruff_sorts)]


def _as_ruff_sorts(name):
    """Constants, then classes, then the rest, as RUF022 wants it."""
    return not name.isupper(), not name[:1].isupper(), name


def _assigns_all(node):
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    return isinstance(target, ast.Name) and target.id == "__all__"


BRITISH = re.compile(
    r"colour|\bgrey|centred|centre\b|centres\b|labelled|labelling|behaviour|catalogue|favour|neighbour|licence\b"
    r"|modelled|travelled|(?:normal|recogn|real|organ|optim|minim|maxim|initial|general|special|summar|visual"
    r"|synchron|serial|util|random|emphas|tokens?|categor)(?:is(?:e|es|ed|ing|ation)\b|ise_)|analyse|artefact|whilst",
    re.IGNORECASE,
)


def _texts():
    """Files that people read or write, beside built ones and those of others."""
    folders = ("penstock", "tests", "benchmarks", "docs", "notebooks", "scripts", "changelog.d", "widgets_js")
    of_others = (
        "widgets/static/",
        "node_modules/",
        "batchup/theirs/",
        "batchup/page.md",
        "docs/_build/",
        "package-lock",
    )
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in SUFFIXES]
    paths += [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "pyproject.toml", "Makefile")]
    return [path for path in paths if not any(part in path.as_posix() for part in of_others) and path != Path(__file__)]


SUFFIXES = {".py", ".md", ".rst", ".ipynb", ".ts", ".tsx", ".css", ".mjs", ".json", ".tsv", ".sh"}


def test_words_have_their_american_spelling():
    found = {path.relative_to(ROOT).as_posix(): BRITISH.findall(path.read_text()) for path in _texts()}
    assert {name: words for name, words in found.items() if words} == {}


def test_file_names_have_their_american_spelling():
    names = [path.relative_to(ROOT).as_posix() for path in _texts()]
    assert [name for name in names if BRITISH.search(name)] == []


def test_every_public_name_exists():
    import penstock

    assert [name for name in penstock.__all__ if not hasattr(penstock, name)] == []


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def _names(requirements):
    return {_normalized(re.split(r"[<>=;\[ ]", line)[0]) for line in requirements}


def _rows_of_dependencies_page(title):
    """Cells of the rows below a title, the reasons in the last one."""
    lines = (ROOT / "docs" / "dependencies.md").read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {title} |"))
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines[start + 2 :])
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def _packages(cell):
    return {_normalized(name) for name in re.split(r", on macOS |, ", cell)}


def test_docs_list_the_dependencies_that_are_declared():
    listed = [_packages(row[0]) for row in _rows_of_dependencies_page("package")]
    assert set().union(*listed) == _names(PROJECT["dependencies"])


@pytest.mark.parametrize("extra", sorted(set(PROJECT["optional-dependencies"]) - {"dev"}))
def test_docs_list_the_packages_of_an_extra(extra):
    listed = [_packages(row[1]) for row in _rows_of_dependencies_page("extra") if row[0] == f"`{extra}`"]
    assert set().union(*listed) == _names(PROJECT["optional-dependencies"][extra])


def test_docs_list_no_extra_that_does_not_exist():
    listed = {row[0].strip("`") for row in _rows_of_dependencies_page("extra")}
    assert listed == set(PROJECT["optional-dependencies"]) - {"dev"}


def test_docs_list_the_tools_that_are_declared():
    listed = [_packages(row[0]) for row in _rows_of_dependencies_page("packages of `dev`")]
    assert set().union(*listed) == _names(PROJECT["optional-dependencies"]["dev"])


def test_every_dependency_has_its_reason_in_the_docs():
    titles = ("package", "extra", "packages of `dev`")
    assert [row for title in titles for row in _rows_of_dependencies_page(title) if not row[-1]] == []


def test_constraints_pin_every_direct_dependency():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {_normalized(line.split("==")[0]) for line in lines if "==" in line}
    extras = itertools.chain.from_iterable(PROJECT["optional-dependencies"].values())
    wanted = [line for line in (*PROJECT["dependencies"], *extras) if "== 'darwin'" not in line]
    assert _names(wanted) - pinned == set()


def _normalized(name):
    return re.sub(r"[-_.]+", "-", name).lower()


HEAVY = (
    *("torch", "tensorflow", "plotly", "pandas", "anywidget", "ipywidgets", "traitlets", "IPython", "lance", "pyarrow"),
    *(
        "cv2",
        "obstore",
        "PIL",
        "simplejpeg",
        "scipy",
        "requests",
        "urllib3",
        "pooch",
        "pycocotools",
        "yaml",
        "nbformat",
    ),
    *("websocket", "keyring", "h5py", "deeplake", "lightning", "mmengine"),
)


def test_import_loads_nothing_heavy():
    code = f"import sys, penstock; print([name for name in {HEAVY!r} if name in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
