"""Objects to shared memory and back, arrays beside the pickle rather than in it."""

from __future__ import annotations

import io
import pickle
import sys
from typing import Any

import cloudpickle

from penstock.engines._memory import SharedMemory

__all__ = ["Sizes", "load", "store"]

Sizes = list[int]
"""Bytes of the pickle, then of each buffer."""

_ALIGNMENT = 64


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no types
    """Takes functions and classes of notebooks by value, arrays and tensors out of band.

    What is for workers alone and in no pickle of a user, such as credentials, has a method `reduce_for_worker`.
    """

    def reducer_override(self, obj: Any) -> Any:  # noqa: ANN401  anything
        torch = sys.modules.get("torch")
        if torch is not None and type(obj) is torch.Tensor and _is_plain(torch, obj):
            return torch.from_numpy, (obj.numpy(),)
        own = getattr(type(obj), "reduce_for_worker", None)
        if own is not None:
            return own(obj)
        return super().reducer_override(obj)


def _is_plain(torch: Any, tensor: Any) -> bool:  # noqa: ANN401  torch is loaded only where a user has it
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


def store(value: Any, memory: SharedMemory) -> Sizes:  # noqa: ANN401  anything that cloudpickle takes
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


def load(memory: SharedMemory, sizes: Sizes) -> Any:  # noqa: ANN401  what was stored
    """Read an object; its arrays are copies that may be kept and written to."""
    source = memory.view(sum(map(_aligned, sizes)))
    parts = []
    position = 0
    for size in sizes:
        parts.append(bytearray(source[position : position + size]))
        position += _aligned(size)
    return pickle.loads(parts[0], buffers=parts[1:])  # noqa: S301  from this process's own child or parent
