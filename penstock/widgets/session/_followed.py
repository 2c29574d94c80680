"""A session's query, its past queries and its filter after classes were renamed, merged or removed."""

from __future__ import annotations

from collections.abc import Mapping

from penstock import tql
from penstock.errors import TQLError
from penstock.table import OverlayTable, class_keys, merged_into, new_index, resolved
from penstock.widgets.grid._filter import GridFilter
from penstock.widgets.queries._query_run import Followed, QueryRun, reweighted, same_but_weights

__all__ = ["Follows", "Names", "filter_now", "renamed"]

_MAX_TEXTS = 100
Names = Mapping[str, Mapping[str, str]]


class Follows:
    """Brings query texts from one state of the classes to another."""

    def __init__(self) -> None:
        self._count = 0
        self._texts: list[tuple[dict[str, str], str, str]] = []  # names by key before a merge, text before and after

    def query(self, run: QueryRun, table: OverlayTable) -> tuple[str, Followed | None, Names]:
        """Return the text of the query that ran for another state, what the browser is to know, and all renames."""
        renames = _renames(run.table, table)
        moved = _moved(run, table)
        if not renames and moved is None:
            return run.text, None, {}
        self._count += 1
        pairs = tuple(dict.fromkeys(pair for names in renames.values() for pair in names.items()))
        followed = Followed(number=self._count, renames=pairs, classes=moved)
        return self._text(run, table, renames), followed, renames

    def _text(self, run: QueryRun, table: OverlayTable, renames: Names) -> str:
        before, now = _named(run.table, run.labels), _named(table, run.labels)
        for then, text, after in reversed(self._texts):
            if list(then) == list(now) and list(then) != list(before) and same_but_weights(after, run.text):
                # merged classes are back, and so is the text that named them
                again = tql.rename_classes(text, {str(run.labels): {old: now[key] for key, old in then.items()}})
                return reweighted(again, run.spec, _clauses(again, table, run)) if run.has_sampling else again
        text = tql.rename_classes(run.text, renames) if renames else run.text
        if text != run.text and list(before) != list(now):
            self._texts = [*self._texts[-_MAX_TEXTS:], (before, run.text, text)]
        return text


def _clauses(text: str, table: OverlayTable, run: QueryRun) -> tuple[tql.WeightClause, ...]:
    return tql.clauses(text, table, tables=run.tables.fitting(table))


def renamed(text: str, renames: Names) -> str:
    """Return a past query with the names of now; one that cannot be read stays."""
    try:
        return tql.rename_classes(text, renames)
    except TQLError:
        return text


def filter_now(wanted: GridFilter, before: QueryRun, after: QueryRun) -> GridFilter:
    """Return a filter for another run: its classes where they are now, without those that are gone."""
    if not wanted.classes:
        return wanted
    if before.labels != after.labels:
        return wanted.with_classes(())
    moved = _moved(before, after.table, merges=True)
    places = (index if moved is None or index >= len(moved) else moved[index] for index in wanted.classes)
    return wanted.with_classes(tuple(place for place in places if 0 <= place < len(after.class_names)))


def _keys(table: OverlayTable, tensor: str | None) -> tuple[str, ...]:
    return () if tensor is None or tensor not in table.tensors else class_keys(table.stored.snapshot.meta, tensor)


def _named(table: OverlayTable, tensor: str | None) -> dict[str, str]:
    """Return the name of each class by its key, in order."""
    keys = _keys(table, tensor)
    return dict(zip(keys, table.tensors[tensor].class_names, strict=True)) if tensor is not None and keys else {}


def _moved(run: QueryRun, table: OverlayTable, *, merges: bool = False) -> tuple[int, ...] | None:
    """Return the new index of each class; with `merges` one that was merged away has that of the class it is in."""
    if run.labels is None or run.labels not in table.tensors:
        return None
    merged = merged_into(table.stored.snapshot.meta, run.labels) if merges else {}
    index = new_index(_keys(run.table, run.labels), _keys(table, run.labels), merged)
    return None if index is None else tuple(index.tolist())


def _renames(before: OverlayTable, after: OverlayTable) -> dict[str, dict[str, str]]:
    """Return for each label tensor the classes that are called otherwise now, or are part of another one."""
    found: dict[str, dict[str, str]] = {}
    for name, spec in before.tensors.items():
        if spec.htype != "class_label" or name not in after.tensors:
            continue
        then, now = _keys(before, name), _keys(after, name)
        places = {key: index for index, key in enumerate(now)}
        names = after.tensors[name].class_names
        merged = merged_into(after.stored.snapshot.meta, name)
        for key, old in zip(then, spec.class_names, strict=True):
            place = resolved(key, places, merged)
            if place is not None and names[place] != old:
                found.setdefault(name, {})[old] = names[place]
    return found
