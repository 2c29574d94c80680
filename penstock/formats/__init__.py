"""Forms that importers and exporters share: what a file says, and how it is written again."""

from penstock.formats._yolo import (
    Style,
    boxes_in_pixels,
    corner_boxes,
    digest_of,
    keypoint_values,
    line_text,
    point_fractions,
    points_in_pixels,
    rewritten,
    shortest_boxes,
    style_of,
)

__all__ = [
    "Style",
    "boxes_in_pixels",
    "corner_boxes",
    "digest_of",
    "keypoint_values",
    "line_text",
    "point_fractions",
    "points_in_pixels",
    "rewritten",
    "shortest_boxes",
    "style_of",
]
