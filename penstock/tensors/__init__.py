"""Kinds of tensor and their codecs."""

from penstock.tensors._cell import Cell
from penstock.tensors._codecs import (
    decode_image,
    decode_jpeg_into,
    encode_image,
    image_format,
    image_region,
    image_shape,
    thumbnail,
)
from penstock.tensors._encode import encode_sample, image_cell, image_digest, unpack_mask
from penstock.tensors._link import Link, link
from penstock.tensors._make_spec import make_spec
from penstock.tensors._pixels import flatten_alpha
from penstock.tensors._spec import HTYPES, Htype, TensorSpec

__all__ = [
    "HTYPES",
    "Cell",
    "Htype",
    "Link",
    "TensorSpec",
    "decode_image",
    "decode_jpeg_into",
    "encode_image",
    "encode_sample",
    "flatten_alpha",
    "image_cell",
    "image_digest",
    "image_format",
    "image_region",
    "image_shape",
    "link",
    "make_spec",
    "thumbnail",
    "unpack_mask",
]
