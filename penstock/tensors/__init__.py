"""Kinds of tensor and their codecs."""

from penstock.tensors._boxes import boxes_xywh, clip_boxes, first_tensor
from penstock.tensors._cell import Cell
from penstock.tensors._decimals import decimals
from penstock.tensors._encode import class_ids, encode_sample, image_cell, image_digest, unpack_mask
from penstock.tensors._groups import GROUPED_HTYPES, group_of, object_groups
from penstock.tensors._label_tensors import label_tensor, label_tensors
from penstock.tensors._make_spec import make_spec
from penstock.tensors._packed import PackedCells
from penstock.tensors._recast import recast
from penstock.tensors._spec import HTYPES, Htype, TensorSpec
from penstock.tensors._texts import JsonText, decode_json, storable_text
from penstock.tensors._types import is_open, same_type, with_type, with_type_of
from penstock.tensors.images._decoding import decode_image, decode_then, image_shape, load_pillow
from penstock.tensors.images._encoding import encode_image
from penstock.tensors.images._pillow import is_pillow, pillow_pixels
from penstock.tensors.images._thumbnails import check_image, image_region, thumbnail
from penstock.tensors.images._windowed import image_levels
from penstock.tensors.images.formats._jpeg import decode_jpeg_into
from penstock.tensors.images.opening._formats import image_format
from penstock.tensors.images.opening._memory import DECODING, MAX_IMAGE_BYTES
from penstock.tensors.images.opening._pixels import flatten_alpha
from penstock.tensors.links._link import Link, link
from penstock.tensors.links._urls import LINK_SCHEMES, has_password, local_path, scheme_of, shown_url, split_url
from penstock.tensors.wording._words import kind_in_words, labels_in_words

__all__ = [
    "DECODING",
    "GROUPED_HTYPES",
    "HTYPES",
    "LINK_SCHEMES",
    "MAX_IMAGE_BYTES",
    "Cell",
    "Htype",
    "JsonText",
    "Link",
    "PackedCells",
    "TensorSpec",
    "boxes_xywh",
    "check_image",
    "class_ids",
    "clip_boxes",
    "decimals",
    "decode_image",
    "decode_jpeg_into",
    "decode_json",
    "decode_then",
    "encode_image",
    "encode_sample",
    "first_tensor",
    "flatten_alpha",
    "group_of",
    "has_password",
    "image_cell",
    "image_digest",
    "image_format",
    "image_levels",
    "image_region",
    "image_shape",
    "is_open",
    "is_pillow",
    "kind_in_words",
    "label_tensor",
    "label_tensors",
    "labels_in_words",
    "link",
    "load_pillow",
    "local_path",
    "make_spec",
    "object_groups",
    "pillow_pixels",
    "recast",
    "same_type",
    "scheme_of",
    "shown_url",
    "split_url",
    "storable_text",
    "thumbnail",
    "unpack_mask",
    "with_type",
    "with_type_of",
]
