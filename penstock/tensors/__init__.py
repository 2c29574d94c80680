"""Kinds of tensor and their codecs."""

from penstock.tensors._codecs import (
    decode_image,
    decode_jpeg_into,
    encode_image,
    image_format,
    image_region,
    image_shape,
    thumbnail,
)
from penstock.tensors._link import Link, link
from penstock.tensors._pixels import flatten_alpha
from penstock.tensors._spec import HTYPES, Htype, TensorSpec

__all__ = [
    "HTYPES",
    "Htype",
    "Link",
    "TensorSpec",
    "decode_image",
    "decode_jpeg_into",
    "encode_image",
    "flatten_alpha",
    "image_format",
    "image_region",
    "image_shape",
    "link",
    "thumbnail",
]
