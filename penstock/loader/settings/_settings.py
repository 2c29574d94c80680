"""What a loader was told, and what of it cannot be."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from penstock.errors import LoaderError, TensorNotFoundError, nearest
from penstock.loader.settings._boxes import checked_scaling
from penstock.table import Table
from penstock.tensors import TensorSpec

__all__ = ["DecodeMethod", "Framework", "OnError", "Padding", "Settings", "checked_output"]

Framework = Literal["samples", "numpy", "pytorch", "tensorflow"]
DecodeMethod = Literal["numpy", "tobytes", "pil"]
OnError = Literal["raise", "skip", "substitute"]
Padding = Literal["list", "pad"]
_MOST_THREADS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything of a loader's chain but its rows."""

    seed: int
    framework: Framework = "samples"
    batch_size: int | None = None
    drop_last: bool = False
    shuffle: bool = False
    buffer_size: int = 2048
    offset: int = 0
    transform: Callable[..., Any] | Mapping[str, Callable[..., Any] | None] | None = None
    transform_arguments: Mapping[str, Any] = field(default_factory=dict)
    collate_fn: Callable[[list[Any]], Any] | None = None
    tensors: tuple[str, ...] | None = None
    num_workers: int = 0
    num_threads: int | None = None
    prefetch_factor: int = 2
    distributed: bool | None = None
    return_index: bool = True
    decode_method: Mapping[str, DecodeMethod] = field(default_factory=dict)
    persistent_workers: bool = False
    resize: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    scale_boxes: Mapping[str, str] = field(default_factory=dict)
    padding: Padding = "list"
    on_error: OnError = "raise"
    pin_memory: bool = False
    single: bool = False

    @property
    def samples_per_batch(self) -> int:
        """Samples in a batch; one where `.batch` was not called."""
        return self.batch_size or 1

    @property
    def reader_threads(self) -> int:
        """Threads that read and decode; 0 means in the consumer's own."""
        if self.num_threads is not None:
            return self.num_threads
        available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return max(1, min(available, _MOST_THREADS))


def check_count(name: str, value: Any, least: int) -> int:
    """Return a whole number of at least `least`."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or int(value) < least:
        raise LoaderError(f"{name} is {value!r}; expected a whole number of at least {least}")
    return int(value)


def check_choice(name: str, value: Any, choices: Iterable[str]) -> None:
    """Refuse a value that is none of the choices."""
    known = tuple(choices)
    if value not in known:
        like = nearest(str(value), known)
        raise LoaderError(
            f"{name} is {value!r}; expected {' or '.join(map(repr, known))}",
            hint=f"did you mean {like!r}?" if like else None,
        )


def checked_output(table: Table, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of .pytorch, .numpy and .tensorflow, checked against a table."""
    checked = dict(options)
    for name, least in (("num_workers", 0), ("prefetch_factor", 1)):
        checked[name] = check_count(name, options[name], least)
    if options["num_threads"] is not None:
        checked["num_threads"] = check_count("num_threads", options["num_threads"], 0)
    check_choice("padding", options["padding"], get_args(Padding))
    check_choice("on_error", options["on_error"], get_args(OnError))
    if options["collate_fn"] is not None and not callable(options["collate_fn"]):
        raise LoaderError(f"collate_fn is {options['collate_fn']!r}; expected a function of a list of samples")
    checked["tensors"] = _checked_tensors(table, options["tensors"])
    methods = _by_tensor(table, "decode_method", options["decode_method"], "'pil'")
    checked["decode_method"] = _checked_decode_methods(table, methods)
    sizes = _by_tensor(table, "resize", options["resize"], "(224, 224)")
    checked["resize"] = _checked_sizes(table, sizes, checked["decode_method"])
    checked["scale_boxes"] = checked_scaling(
        table, options["scale_boxes"], checked["resize"], checked["decode_method"], checked["tensors"]
    )
    return checked


def _by_tensor(table: Table, option: str, given: object, example: str) -> Mapping[str, Any]:
    """Return an option that has a value for each tensor it names, or say how it is written."""
    if given is None or isinstance(given, Mapping):
        return given or {}
    images = [name for name, spec in table.tensors.items() if spec.htype == "image"]
    raise LoaderError(
        f"{option}={given!r}; expected a value for each tensor it names",
        hint=f"{option}={{{images[0] if images else 'images'!r}: {example}}}",
    )


def _spec(table: Table, name: object) -> TensorSpec:
    if not isinstance(name, str) or name not in table.tensors:
        raise TensorNotFoundError(name, table.tensors)  # type: ignore[arg-type]  # shown as it is
    return table.tensors[name]


def _checked_tensors(table: Table, tensors: Iterable[str] | None) -> tuple[str, ...] | None:
    if tensors is None:
        return None
    if not isinstance(tensors, Iterable):
        raise LoaderError(f"tensors={tensors!r}; expected names of tensors", hint=f"tensors={list(table.tensors)[:2]}")
    names = (tensors,) if isinstance(tensors, str) else tuple(tensors)
    if "index" in names:
        raise LoaderError(
            "'index' is no tensor; it is added to every batch",
            hint="leave it out of tensors= and use return_index=True",
        )
    for name in names:
        _spec(table, name)
    return names


def _checked_decode_methods(table: Table, methods: Mapping[str, str]) -> dict[str, str]:
    for name, method in methods.items():
        spec = _spec(table, name)
        check_choice(f"decode_method of {name!r}", method, get_args(DecodeMethod))
        if method == "pil" and spec.htype != "image":
            raise LoaderError(f"decode_method 'pil' for {name!r}, which is a {spec.htype}; expected an image tensor")
    return dict(methods)


def _checked_sizes(table: Table, sizes: Mapping[str, Any], methods: Mapping[str, str]) -> dict[str, tuple[int, int]]:
    checked = {}
    for name, size in sizes.items():
        spec = _spec(table, name)
        if spec.htype != "image":
            raise LoaderError(f"resize of {name!r}, which is a {spec.htype}; expected an image tensor")
        if methods.get(name, "numpy") != "numpy":
            raise LoaderError(f"resize of {name!r}, which is decoded by {methods[name]!r}; expected 'numpy'")
        height, width = size if isinstance(size, tuple | list) and len(size) == 2 else (size, size)  # noqa: PLR2004  height and width
        what = f"resize of {name!r}"
        checked[name] = (check_count(what, height, 1), check_count(what, width, 1))
    return checked
