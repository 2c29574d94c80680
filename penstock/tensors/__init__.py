"""Kinds of tensor and their codecs."""

from penstock.tensors._cell import Cell
from penstock.tensors._codecs import decode_image, decode_jpeg_into, image_shape
from penstock.tensors._encode import class_ids, encode_sample, image_cell, image_digest, unpack_mask
from penstock.tensors._encoding import encode_image
from penstock.tensors._formats import image_format
from penstock.tensors._groups import GROUPED_HTYPES, group_of, object_groups
from penstock.tensors._link import Link, link
from penstock.tensors._make_spec import make_spec
from penstock.tensors._pixels import flatten_alpha
from penstock.tensors._spec import HTYPES, Htype, TensorSpec
from penstock.tensors._thumbnails import image_region, thumbnail

__all__ = [
    "GROUPED_HTYPES",
    "HTYPES",
    "Cell",
    "Htype",
    "Link",
    "TensorSpec",
    "class_ids",
    "decode_image",
    "decode_jpeg_into",
    "encode_image",
    "encode_sample",
    "flatten_alpha",
    "group_of",
    "image_cell",
    "image_digest",
    "image_format",
    "image_region",
    "image_shape",
    "link",
    "make_spec",
    "object_groups",
    "thumbnail",
    "unpack_mask",
]
