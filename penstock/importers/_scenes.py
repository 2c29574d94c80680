"""Pictures of shapes for the demo: drawn four times as large, then reduced, so that edges are smooth."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["SHAPES", "SIDE", "Shape", "draw_scene"]

SIDE = 192
_SUPERSAMPLING = 4
_MARGIN = 5  # as people draw boxes; a tight one would hide the outline
_COLORS = {
    "Circle": "#7a41b4",
    "Square": "#cb8000",
    "Triangle": "#22695e",
    "Star": "#b274ed",
    "Ring": "#944a07",
    "Cross": "#589d90",
}
SHAPES = tuple(_COLORS)
_RING_HOLE = 0.56
_STAR_INNER = 0.45
_CROSS_ARM = 0.34


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One shape in a scene.

    Parameters
    ----------
    name : str
        One of `SHAPES`.
    x, y : float
        Center, pixels.
    radius : float
        Half of its extent before it is turned, pixels.
    turn : float
        Rotation, radians.
    tint : float
        Brightness of its color relative to the class's.
    """

    name: str
    x: float
    y: float
    radius: float
    turn: float = 0.0
    tint: float = 1.0


def draw_scene(
    shapes: list[Shape], hues: tuple[float, float], lightness: tuple[float, float]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Draw shapes, first to last, on a soft gradient.

    Parameters
    ----------
    shapes : list of Shape
        What to draw.
    hues, lightness : tuple of float
        Of the gradient's two ends, 0 to 1.

    Returns
    -------
    pixels : ndarray of uint8, shape (192, 192, 3)
    boxes_xywh : ndarray of float32, shape (num_shapes, 4)
        Around what was drawn with five pixels to spare, pixels.
    """
    canvas = _gradient(hues, lightness)
    boxes = [_paint(canvas, shape) for shape in shapes]
    return np.rint(canvas).astype(np.uint8), np.array(boxes, np.float32).reshape(-1, 4)


def _gradient(hues: tuple[float, float], lightness: tuple[float, float]) -> NDArray[np.float32]:
    ends = [colorsys.hls_to_rgb(hue, light, 0.16) for hue, light in zip(hues, lightness, strict=True)]
    start, end = (np.array(color, np.float32) * 255 for color in ends)
    ramp = np.linspace(0, 0.5, SIDE, dtype=np.float32)
    slope = (ramp[:, None] + ramp[None, :])[:, :, None]
    blended: NDArray[np.float32] = start + (end - start) * slope
    return blended


def _paint(canvas: NDArray[np.float32], shape: Shape) -> tuple[int, int, int, int]:
    """Blend a shape and its shadow into the canvas; return its box."""
    import cv2

    reach = int(np.ceil(shape.radius * 1.5)) + 6
    left, top = int(shape.x) - reach, int(shape.y) - reach
    mask = _mask(shape, left, top, 2 * reach)
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + 2 * reach, SIDE), min(top + 2 * reach, SIDE)
    window = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    region = canvas[y0:y1, x0:x1]
    drop = shape.radius / 9
    shadow = cv2.GaussianBlur(mask, (0, 0), max(drop, 1.0))
    shadow = np.roll(shadow, (round(drop), round(drop / 2)), (0, 1))[window][:, :, None]
    region *= 1 - 0.24 * shadow
    shade = np.linspace(1.1, 0.92, 2 * reach, dtype=np.float32)[window[0], None, None]
    color = np.clip(_rgb(_COLORS[shape.name]) * shape.tint * shade, 0, 255)
    inside = mask[window]
    region += inside[:, :, None] * (color - region)
    rows, columns = np.flatnonzero(inside.max(axis=1) > 0.5), np.flatnonzero(inside.max(axis=0) > 0.5)  # half covered
    return (
        int(columns[0]) + x0 - _MARGIN,
        int(rows[0]) + y0 - _MARGIN,
        int(columns[-1] - columns[0]) + 1 + 2 * _MARGIN,
        int(rows[-1] - rows[0]) + 1 + 2 * _MARGIN,
    )


def _mask(shape: Shape, left: int, top: int, extent: int) -> NDArray[np.float32]:
    """Share of each pixel that the shape covers, float32 of shape (extent, extent)."""
    import cv2

    large = np.zeros((extent * _SUPERSAMPLING,) * 2, np.uint8)
    center = np.array([shape.x - left, shape.y - top]) * _SUPERSAMPLING
    radius = shape.radius * _SUPERSAMPLING
    middle = tuple(int(value) for value in np.rint(center))
    if shape.name in ("Circle", "Ring"):
        cv2.circle(large, middle, round(radius), 255, -1)
        if shape.name == "Ring":
            cv2.circle(large, middle, round(radius * _RING_HOLE), 0, -1)
    else:
        cosine, sine = np.cos(shape.turn), np.sin(shape.turn)
        points = _outline(shape.name) @ np.array([[cosine, sine], [-sine, cosine]]) * radius + center
        cv2.fillPoly(large, [np.rint(points).astype(np.int32)], 255)
    small: NDArray[np.uint8] = cv2.resize(large, (extent, extent), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) / np.float32(255)


def _outline(name: str) -> NDArray[np.float64]:
    """Corners of a shape of radius 1 around the origin."""
    if name == "Square":
        return np.array([[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]])
    if name == "Triangle":
        return np.array([[0.0, -1.0], [1.0, 0.85], [-1.0, 0.85]])
    if name == "Star":
        angles = np.arange(10) * np.pi / 5 - np.pi / 2
        radii = np.where(np.arange(10) % 2, _STAR_INNER, 1.0)
        return np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1) * 1.08
    a = _CROSS_ARM
    arms = [[-a, -1], [a, -1], [a, -a], [1, -a], [1, a], [a, a], [a, 1], [-a, 1], [-a, a], [-1, a], [-1, -a], [-a, -a]]
    return np.array(arms, np.float64)


def _rgb(color: str) -> NDArray[np.float32]:
    return np.array([int(color[start : start + 2], 16) for start in (1, 3, 5)], np.float32)
