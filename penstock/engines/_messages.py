"""Objects to shared memory and back, with arrays next to the pickle rather than in it."""

from __future__ import annotations

import io
import pickle
import sys
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

import cloudpickle

from penstock.engines._memory import SharedMemory
from penstock.errors import EngineError, PenstockError

__all__ = ["Sizes", "from_parts", "load", "load_shared", "public_parts", "store"]

Sizes = list[int]
"""Bytes of the pickle, then of each buffer."""

_ALIGNMENT = 64


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no types
    """Takes functions and classes of notebooks by value, arrays and tensors out of band.

    What is for workers alone and in no pickle of a user, such as credentials, has a method `__reduce_for_worker__`.
    """

    keeps_secrets = False  # from workers, as those of a cluster are other machines

    def reducer_override(self, obj: Any) -> Any:
        torch = sys.modules.get("torch")
        if torch is not None and type(obj) is torch.Tensor and _is_plain(torch, obj):
            return torch.from_numpy, (obj.numpy(),)
        own = getattr(type(obj), "__reduce_for_worker__", None)
        if own is not None and not self.keeps_secrets:
            return own(obj)
        if isinstance(obj, type | FunctionType) and not _is_importable(obj.__module__):
            return self._by_value(obj)
        return super().reducer_override(obj)

    def _by_value(self, obj: Any) -> Any:
        """Take a function or class with its code: another process would not find its module."""
        module = sys.modules[obj.__module__]
        cloudpickle.register_pickle_by_value(module)
        try:
            return super().reducer_override(obj)
        finally:
            cloudpickle.unregister_pickle_by_value(module)


class _PublicPickler(_Pickler):
    """Leaves out what only processes of this machine may see."""

    keeps_secrets = True


@cache
def _is_importable(name: str | None) -> bool:
    """Return whether a process with the same path finds the module; one loaded by file may not be found.

    What is in no module, or in `__main__`, cloudpickle itself takes by value.
    """
    module = sys.modules.get(name or "")
    if name is None or module is None or name == "__main__":
        return True
    path, found = None, None
    for end in (*(place for place, character in enumerate(name) if character == "."), len(name)):
        found = _spec_of(name[:end], path)
        if found is None:
            return False
        path = found.submodule_search_locations
    file = getattr(module, "__file__", None)
    return found is None or not found.has_location or not file or Path(file).resolve() == Path(found.origin).resolve()


def _spec_of(name: str, path: Any) -> Any:
    finders = (getattr(finder, "find_spec", None) for finder in sys.meta_path)
    return next((spec for find in finders if find is not None and (spec := find(name, path)) is not None), None)


def _is_plain(torch: Any, tensor: Any) -> bool:
    plain: bool = (
        tensor.device.type == "cpu"
        and tensor.layout is torch.strided
        and not tensor.requires_grad
        and tensor.dtype != torch.bfloat16
        and not tensor.is_quantized
        and not tensor.is_conj()
        and not tensor.is_neg()
    )
    return plain


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def store(value: Any, memory: SharedMemory) -> Sizes:
    """Write an object; return the sizes `load` needs."""
    buffers: list[pickle.PickleBuffer] = []
    stream = io.BytesIO()
    _Pickler(stream, protocol=5, buffer_callback=buffers.append).dump(value)
    parts = [memoryview(stream.getbuffer()), *(buffer.raw() for buffer in buffers)]
    sizes = [part.nbytes for part in parts]
    target = memory.view(sum(map(_aligned, sizes)))
    position = 0
    for part, size in zip(parts, sizes, strict=True):
        target[position : position + size] = part
        position += _aligned(size)
    return sizes


def public_parts(value: Any) -> list[Any]:
    """Return an object as bytes and arrays of bytes that other machines may see; credentials are left out."""
    import numpy as np

    buffers: list[pickle.PickleBuffer] = []
    stream = io.BytesIO()
    try:
        _PublicPickler(stream, protocol=5, buffer_callback=buffers.append).dump(value)
    except (MemoryError, PenstockError):
        raise
    except Exception as error:
        raise EngineError(
            f"a {type(value).__name__} cannot be sent to or from a worker ({type(error).__name__}: {error})",
            hint="it holds something that cannot be pickled, such as a lock, an open file or a generator",
        ) from error
    return [stream.getvalue(), *(np.frombuffer(buffer.raw(), np.uint8) for buffer in buffers)]


def from_parts(parts: list[Any]) -> Any:
    """Return an object of its parts; its arrays lie where the parts do, and are read only."""
    return pickle.loads(parts[0], buffers=parts[1:])  # noqa: S301  from this session's own driver or worker


def load(memory: SharedMemory, sizes: Sizes) -> Any:
    """Read an object; its arrays are copies that may be kept and written to."""
    parts = [bytearray(part) for part in _parts(memory.view(sum(map(_aligned, sizes))), sizes)]
    return pickle.loads(parts[0], buffers=parts[1:])  # noqa: S301  from this process's own child or parent


def load_shared(memory: SharedMemory, sizes: Sizes) -> Any:
    """Read an object whose arrays lie in the memory itself, which all who read it share; no one sees others' writes."""
    parts = _parts(memory.private(sum(map(_aligned, sizes))), sizes)
    return pickle.loads(parts[0], buffers=parts[1:])  # noqa: S301  from this process's own parent


def _parts(source: memoryview, sizes: Sizes) -> list[memoryview]:
    parts = []
    position = 0
    for size in sizes:
        parts.append(source[position : position + size])
        position += _aligned(size)
    return parts
