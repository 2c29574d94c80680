"""Tensors that describe the same objects of a sample: boxes, their categories, their areas."""

from __future__ import annotations

from collections.abc import Mapping

from penstock.tensors._spec import TensorSpec

__all__ = ["GROUPED_HTYPES", "group_of", "object_groups"]

GROUPED_HTYPES = ("bbox", "class_label", "generic", "json")


def object_groups(specs: Mapping[str, TensorSpec]) -> dict[str, tuple[str, ...]]:
    """Return the object groups among some tensors.

    Parameters
    ----------
    specs : mapping of str to TensorSpec
        The tensors.

    Returns
    -------
    dict of str to tuple of str
        For the first tensor of each group, every tensor of it in the order of `specs`,
        the first tensor too. A tensor that is alone is in no group.

    Examples
    --------
    >>> boxes = TensorSpec(name="boxes", htype="bbox")
    >>> categories = TensorSpec(name="categories", htype="class_label", aligned_with="boxes")
    >>> object_groups({"boxes": boxes, "categories": categories})
    {'boxes': ('boxes', 'categories')}
    """
    members: dict[str, list[str]] = {}
    for name, spec in specs.items():
        members.setdefault(spec.aligned_with or name, []).append(name)
    return {first: tuple(names) for first, names in members.items() if len(names) > 1}


def group_of(specs: Mapping[str, TensorSpec], name: str) -> tuple[str, ...]:
    """Return every tensor of the object group of a tensor, including itself; empty if it is in no group."""
    return object_groups(specs).get(specs[name].aligned_with or name, ())
