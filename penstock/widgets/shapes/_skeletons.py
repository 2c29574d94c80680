"""Names of keypoints and the lines between them, by class, as the source of a dataset has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from penstock.dataset import Dataset
from penstock.table import Table, class_keys

__all__ = ["skeletons"]


def skeletons(dataset: Dataset, table: Table, labels: str | None) -> dict[str, dict[str, Any]]:
    """Return the `Skeleton` of each class that has one, by class index as text.

    Classes are those of the import, whatever they are named now.
    """
    source = dataset.info.get("source") if labels is not None else None
    if not isinstance(source, Mapping) or labels is None:
        return {}
    stored = getattr(table, "stored", None)
    keys = class_keys(stored.snapshot.meta, labels) if stored is not None else ()
    then: Mapping[str, str] = source.get("class_keys", {})
    by_name = dict(_named(source))
    found = {str(index): by_name.get(str(then.get(key))) for index, key in enumerate(keys)}
    return {index: skeleton for index, skeleton in found.items() if skeleton is not None}


def _named(source: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the skeletons of the classes that have one, by the name that they were imported with."""
    for file in source.get("files", ()):
        header = file.get("header") if isinstance(file, Mapping) else None
        for category in (header.get("categories") or ()) if isinstance(header, Mapping) else ():
            if isinstance(category, Mapping) and isinstance(category.get("keypoints"), list):
                yield str(category.get("name")), _skeleton(category["keypoints"], category.get("skeleton"))
        if isinstance(header, Mapping) and isinstance(header.get("kpt_names"), Mapping):
            yield from _of_yolo(header["kpt_names"], file.get("classes"))


def _of_yolo(names: Mapping[Any, Any], classes: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the names that a YAML of YOLO has for the keypoints of classes, which it gives by their index."""
    for name, index in classes.items() if isinstance(classes, Mapping) else ():
        found = names.get(str(index), names.get(index))
        if isinstance(found, list):
            yield str(name), _skeleton(found, None)


def _skeleton(names: list[Any], edges: Any) -> dict[str, Any]:
    """Return names, and edges that count points from 0; COCO counts from 1."""
    pairs = edges if isinstance(edges, list) else []
    kept = [[one - 1 for one in pair] for pair in pairs if _is_edge(pair, len(names))]
    return {"names": [str(name) for name in names], "edges": kept}


def _is_edge(pair: Any, count: int) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(type(one) is int and 0 < one <= count for one in pair)
