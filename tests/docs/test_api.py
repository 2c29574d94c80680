"""The API page and the package agree: what has a public name is documented, and nothing else has one."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import itertools
import re
import types
from pathlib import Path

import pytest

import penstock

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.rst"
ROOMS = ("batchup", "dataset", "errors", "exporters", "importers", "loader", "plots", "sampling", "tql", "widgets")
DIRECTIVE = re.compile(r"^\.\. auto(\w+):: (\S+)\n((?:   :.*\n)*)", re.MULTILINE)
OPTION = re.compile(r"^   :([\w-]+):[ \t]*(.*)$", re.MULTILINE)
FIELD = re.compile(r"^(\*{0,2}\w+(?:, \*{0,2}\w+)*)(?: : .*)?$", re.MULTILINE)
CODE = (types.FunctionType, property, functools.cached_property, classmethod, staticmethod)


# ---- the page ----------------------------------------------------------------------------------------


def thing_at(path):
    """Return what a dotted name of the page names."""
    names = path.split(".")
    for count in range(len(names), 0, -1):
        try:
            thing = importlib.import_module(".".join(names[:count]))
        except ModuleNotFoundError:
            continue
        return functools.reduce(getattr, names[count:], thing)
    raise AssertionError(path)


def entries():
    """Yield kind, dotted name and options of each directive of the page."""
    for kind, path, options in DIRECTIVE.findall(PAGE.read_text()):
        yield kind, path, dict(OPTION.findall(options))


def names_in(options, name):
    return {entry.strip() for entry in options.get(name, "").split(",")} - {""}


@functools.cache
def page():
    """Return what is on the page: for each dotted name, and for each class, the members shown with it."""
    shown = {}
    for kind, path, options in entries():
        thing = thing_at(path)
        if kind == "module":
            listed = sorted(set(getattr(thing, "__all__", ())) - names_in(options, "exclude-members"))
            parts = {f"{path}.{name}": getattr(thing, name) for name in listed if "members" in options}
        else:
            parts = {path: thing}
        for name, part in parts.items():
            shown[name] = shown[part if inspect.isclass(part) else name] = members(part, options)
            if isinstance(part, types.FunctionType):
                shown[part] = set()
    return shown


def members(thing, options):
    """Return the members of a class that autodoc shows: those with a docstring."""
    if not inspect.isclass(thing) or "members" not in options:
        return set()
    until = names_in(options, "inherited-members")
    bases = thing.__mro__ if "inherited-members" in options else (thing,)
    bases = bases[: next((place for place, base in enumerate(bases) if base.__name__ in until), len(bases))]
    every = {name for base in bases for name in {*vars(base), *attribute_docstrings(base)} if not name.startswith("_")}
    named = names_in(options, "members") or every
    return {name for name in named - names_in(options, "exclude-members") if has_docstring(thing, name)}


def has_docstring(cls, name):
    member = inspect.getattr_static(cls, name, None)
    if isinstance(member, CODE):
        return bool((inspect.getdoc(getattr(cls, name, member)) or "").strip())
    return any(name in attribute_docstrings(base) for base in cls.__mro__)


def code_of(cls):
    return classes_of(cls.__module__)[cls.__name__]


@functools.cache
def classes_of(module):
    tree = ast.parse(inspect.getsource(importlib.import_module(module)))
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


@functools.cache
def attribute_docstrings(cls):
    """Return the names of a class whose assignment is followed by a string, which autodoc takes for its docstring."""
    if not is_ours(cls):
        return set()
    body = code_of(cls).body
    return {
        (line.target if isinstance(line, ast.AnnAssign) else line.targets[0]).id
        for line, following in itertools.pairwise(body)
        if isinstance(line, ast.Assign | ast.AnnAssign)
        and isinstance(following, ast.Expr)
        and isinstance(following.value, ast.Constant)
    }


def described(cls):
    """Return the names under Parameters and Attributes in the docstrings of a class and its bases of ours."""
    names = set()
    for base in cls.__mro__:
        text = inspect.cleandoc(vars(base).get("__doc__") or "") if is_ours(base) else ""
        for section in re.findall(
            r"^(?:Parameters|Attributes)\n-+\n(.*?)(?=^\w+\n-+\n|\Z)", text, re.MULTILINE | re.DOTALL
        ):
            names.update(part.strip(" *") for line in FIELD.findall(section) for part in line.split(","))
    return names


# ---- the package -------------------------------------------------------------------------------------


def is_ours(base):
    return base.__module__.split(".")[0] == "penstock"


def public_objects():
    """Yield every public object by its dotted name: those of the package and of its public rooms."""
    for room in ("penstock", *(f"penstock.{room}" for room in ROOMS)):
        module = importlib.import_module(room)
        for name in module.__all__:
            thing = getattr(module, name)
            if not name.startswith("__") and not isinstance(thing, types.ModuleType):
                yield f"{room}.{name}", thing


OBJECTS = dict(public_objects())
CLASSES = {cls: f"{cls.__module__}.{cls.__name__}" for cls in (*OBJECTS.values(), *page()) if inspect.isclass(cls)}


def public_attributes(cls):
    """Yield the class that defines each name without an underscore, and the name: of ours, not of a library's base."""
    for name in {*dir(cls), *(name for base in cls.__mro__ if is_ours(base) for name in assigned(base))}:
        owner = next((base for base in cls.__mro__ if name in vars(base) or name in assigned(base)), None)
        if owner is not None and is_ours(owner) and not name.startswith("_"):
            yield owner, name


@functools.cache
def assigned(cls):
    """Return the attributes that methods of a class of ours give to its instances."""
    if not is_ours(cls):
        return set()
    nodes = ast.walk(code_of(cls))
    stores = (node for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store))
    return {node.attr for node in stores if isinstance(node.value, ast.Name) and node.value.id == "self"}


@functools.cache
def attributes_shown():
    """Return what the page shows of all classes; a member of a base is shown with one class that has it, or with more."""
    return {
        (owner, name)
        for cls in page()
        if inspect.isclass(cls)
        for owner, name in public_attributes(cls)
        if name in page()[cls]
    }


# ---- tests -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", OBJECTS)
def test_a_public_object_is_on_the_page(path):
    thing = OBJECTS[path]
    shown_as_itself = inspect.isclass(thing) or isinstance(thing, types.FunctionType)
    assert (thing if shown_as_itself else path) in page()


@pytest.mark.parametrize("path", [path for path, thing in OBJECTS.items() if callable(thing)])
def test_a_public_object_has_a_docstring(path):
    assert (OBJECTS[path].__doc__ or "").strip()


@pytest.mark.parametrize("cls", CLASSES, ids=CLASSES.get)
def test_a_class_has_no_public_attribute_that_is_not_on_the_page(cls):
    hidden = {
        name
        for owner, name in public_attributes(cls)
        if not any((base, name) in attributes_shown() for base in owner.__mro__)
    }
    assert hidden - described(cls) == set()


def test_every_room_that_is_public_is_on_the_page():
    rooms = {name for name in penstock.__all__ if isinstance(getattr(penstock, name), types.ModuleType)}
    named = {path.split(".")[1] for _, path, _ in entries() if path.count(".") > 1 or path[9:] in ROOMS}
    assert rooms <= set(ROOMS)
    assert named - {"trainers"} == set(ROOMS)
