"""The settings of a loader, and the checks of what a caller passes for them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from penstock._wording import nearest
from penstock.errors import LoaderError, TensorNotFoundError
from penstock.loader.settings._boxes import checked_scaling
from penstock.storage import check_run_name
from penstock.table import Table
from penstock.tensors import TensorSpec

__all__ = [
    "DecodeMethod",
    "Framework",
    "OnError",
    "Output",
    "Padding",
    "Settings",
    "Transformation",
    "check_choice",
    "check_count",
    "checked_output",
    "checked_transform",
]

Framework = Literal["samples", "numpy", "pytorch", "tensorflow"]
DecodeMethod = Literal["numpy", "tobytes", "pil"]
OnError = Literal["raise", "skip", "substitute"]
Padding = Literal["list", "pad"]
_MOST_THREADS = 8


Transformation = Callable[..., Any] | Mapping[str, Callable[..., Any] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """The arguments of .pytorch, .numpy and .tensorflow as the caller gave them; `Loader.pytorch` documents each."""

    num_workers: Any
    collate_fn: Any
    tensors: Any
    num_threads: Any
    prefetch_factor: Any
    distributed: bool | None
    return_index: Any
    decode_method: Any
    persistent_workers: Any
    resize: Any
    scale_boxes: Any
    padding: Any
    on_error: Any
    pin_memory: bool = False
    run: Any = None


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
    run: str | None = None

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
        raise LoaderError(f"{name} is {value!r}. Expected a whole number of at least {least}")
    return int(value)


def check_choice(name: str, value: Any, choices: Iterable[str]) -> None:
    """Refuse a value that is none of the choices."""
    known = tuple(choices)
    if value not in known:
        like = nearest(str(value), known)
        raise LoaderError(
            f"{name} is {value!r}. Expected {' or '.join(map(repr, known))}",
            hint=f"did you mean {like!r}?" if like else None,
        )


def checked_transform(transform: Transformation, arguments: Mapping[str, Any]) -> tuple[Transformation, dict[str, Any]]:
    """Return a transform that can be applied, and the arguments of a function; a dict of functions takes none."""
    if not isinstance(transform, Mapping):
        if not callable(transform):
            raise LoaderError(f"transform is {transform!r}. Expected a function or a dict of functions")
        return transform, dict(arguments)
    if arguments:
        warnings.warn(f"transform is a dict: the arguments {', '.join(sorted(arguments))} are ignored", stacklevel=3)
    for name, function in transform.items():
        if function is not None and not callable(function):
            raise LoaderError(f"transform of {name!r} is {function!r}. Expected a function or None")
    return dict(transform), {}


def checked_output(table: Table, output: Output) -> dict[str, Any]:
    """Return the arguments of .pytorch, .numpy and .tensorflow as settings, checked against a table."""
    num_workers = check_count("num_workers", output.num_workers, 0)
    prefetch_factor = check_count("prefetch_factor", output.prefetch_factor, 1)
    num_threads = None if output.num_threads is None else check_count("num_threads", output.num_threads, 0)
    check_choice("padding", output.padding, get_args(Padding))
    check_choice("on_error", output.on_error, get_args(OnError))
    if output.collate_fn is not None and not callable(output.collate_fn):
        raise LoaderError(f"collate_fn is {output.collate_fn!r}. Expected a function of a list of samples")
    tensors = _checked_tensors(table, output.tensors)
    methods = _checked_decode_methods(table, _by_tensor(table, "decode_method", output.decode_method, "'pil'"))
    sizes = _checked_sizes(table, _by_tensor(table, "resize", output.resize, "(224, 224)"), methods)
    return {
        "num_workers": num_workers,
        "collate_fn": output.collate_fn,
        "tensors": tensors,
        "num_threads": num_threads,
        "prefetch_factor": prefetch_factor,
        "distributed": output.distributed,
        "return_index": output.return_index,
        "decode_method": methods,
        "persistent_workers": output.persistent_workers,
        "resize": sizes,
        "scale_boxes": checked_scaling(table, output.scale_boxes, sizes, methods, tensors),
        "padding": output.padding,
        "on_error": output.on_error,
        "pin_memory": output.pin_memory,
        "run": _checked_run(output.run),
    }


def _checked_run(name: object) -> str | None:
    """Return the name of a run; a name that no run can have is an error here, not at the end of an epoch."""
    if name is None:
        return None
    if not isinstance(name, str):
        raise LoaderError(f"run is {name!r}. Expected the name of a run")
    check_run_name(name)
    return name


def _by_tensor(table: Table, option: str, value: object, example: str) -> Mapping[str, Any]:
    """Return an option that has a value for each tensor it names, or say how it is written."""
    if value is None or isinstance(value, Mapping):
        return value or {}
    images = [name for name, spec in table.tensors.items() if spec.htype == "image"]
    raise LoaderError(
        f"{option}={value!r}. Expected a value for each tensor it names",
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
        raise LoaderError(f"tensors={tensors!r}. Expected names of tensors", hint=f"tensors={list(table.tensors)[:2]}")
    names = (tensors,) if isinstance(tensors, str) else tuple(tensors)
    if "index" in names:
        raise LoaderError(
            "'index' is not a tensor; it is added to every batch",
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
            raise LoaderError(f"decode_method 'pil' for {name!r}, which is a {spec.htype}. Expected an image tensor")
    return dict(methods)


def _checked_sizes(table: Table, sizes: Mapping[str, Any], methods: Mapping[str, str]) -> dict[str, tuple[int, int]]:
    checked = {}
    for name, size in sizes.items():
        spec = _spec(table, name)
        if spec.htype != "image":
            raise LoaderError(f"resize of {name!r}, which is a {spec.htype}. Expected an image tensor")
        if methods.get(name, "numpy") != "numpy":
            raise LoaderError(f"resize of {name!r}, which is decoded by {methods[name]!r}. Expected 'numpy'")
        height, width = size if isinstance(size, tuple | list) and len(size) == 2 else (size, size)
        what = f"resize of {name!r}"
        checked[name] = (check_count(what, height, 1), check_count(what, width, 1))
    return checked
