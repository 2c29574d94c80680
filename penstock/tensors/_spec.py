"""The specification of a tensor: its kind and the options it was created with."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

__all__ = ["HTYPES", "Htype", "TensorSpec"]

Htype = Literal[
    "generic",
    "image",
    "bbox",
    "class_label",
    "text",
    "json",
    "embedding",
    "binary_mask",
    "segment_mask",
]
HTYPES: tuple[str, ...] = get_args(Htype)


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorSpec:
    """Kind and options of one tensor.

    Parameters
    ----------
    name : str
        The tensor's name.
    htype : str
        One of the kinds; ``link[image]`` is ``htype="image", link=True``.
    dtype : str
        numpy name of the elements' type.
    link : bool
        Whether samples are references to files outside the dataset.
    sample_compression : {"jpeg", "png", "webp"}, optional
        How image samples are stored.
    class_names : tuple of str
        Names of the classes of a class label, by index.
    coords : str
        Form of boxes: ``xywh`` or ``xyxy``, in pixels.
    length_min, length_max : int, optional
        Smallest and greatest number of labels in a sample so far.
    ndim : int, optional
        Number of dimensions of a generic sample or mask; None until the first is added or
        assigned.
    inferred : bool
        Whether `dtype` follows the first sample that is not None, whether appended or
        assigned.
    aligned_with : str, optional
        The tensor whose object group this one belongs to: both describe the same objects
        of a sample, in the same order. The first tensor of a group has None itself.
    verify, create_shape_tensor, create_sample_info_tensor : bool
        What is read and recorded of each image when it is added.
    """

    name: str
    htype: Htype = "generic"
    dtype: str = "float64"
    link: bool = False
    sample_compression: str | None = None
    class_names: tuple[str, ...] = ()
    coords: str = "xywh"
    length_min: int | None = None
    length_max: int | None = None
    ndim: int | None = None
    inferred: bool = False
    aligned_with: str | None = None
    verify: bool = True
    create_shape_tensor: bool = True
    create_sample_info_tensor: bool = True

    @property
    def single_valued(self) -> bool:
        """Return whether every class label sample has exactly one label (for comparisons)."""
        return self.length_min == self.length_max == 1

    @property
    def is_typed(self) -> bool:
        """Return whether the type of the elements is known; until then every sample is NULL."""
        return not self.inferred or self.ndim is not None

    @property
    def is_encoded(self) -> bool:
        """Return whether samples are stored as encoded bytes or links, which are never kept as a column."""
        return self.htype in {"image", "binary_mask", "segment_mask"}

    @property
    def shown_htype(self) -> str:
        """The kind as a user writes it, ``link[image]`` for links."""
        return f"link[{self.htype}]" if self.link else self.htype

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dict."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> TensorSpec:
        """Return the spec that `to_json` wrote."""
        return cls(**{**data, "class_names": tuple(data.get("class_names", ()))})
