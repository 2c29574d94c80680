"""What all figures share: colors that can be told apart, fonts, margins, the missing-package message."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock._wording import escaped
from penstock.errors import MissingDependencyError

__all__ = ["COLORS", "RAW", "SAMPLED", "checked", "color", "faded", "figure", "shown", "shown_names"]

COLORS: Final = ("#7a41b4", "#22695e", "#cb8000", "#451618", "#b274ed", "#944a07", "#589d90", "#252144")
RAW: Final = "#9aa0a6"
SAMPLED: Final = "#7a41b4"

_DASHES = ("solid", "dash", "dot")
_LONGEST = 60


def figure(*, title: str | None, x: str, y: str, **layout: Any) -> Any:
    """Return an empty figure with titled axes."""
    return graph_objects().Figure(
        layout={
            "template": "plotly_white",
            "title": None if title is None else shown(title, longest=None),
            "xaxis": {"title": shown(x), "automargin": True},
            "yaxis": {"title": shown(y), "automargin": True, "rangemode": "tozero"},
            "hoverlabel": {"namelength": -1},
            "margin": {"l": 56, "r": 16, "t": 48 if title else 16, "b": 48},
            "hovermode": "x unified",
            **layout,
        }
    )


def shown(text: str, *, longest: int | None = _LONGEST) -> str:
    """Return text that plotly shows to the letter: it takes tags, entities and dollar signs for markup.

    Parameters
    ----------
    text : str
        A name out of data.
    longest : int, optional
        Characters after which it is cut; None cuts nothing.

    Examples
    --------
    >>> shown("<b>cat</b> & $x$"), shown(" dog")
    ('&lt;b&gt;cat&lt;/b&gt; &amp; &#36;x&#36;', '␣dog')
    """
    inner = text.strip(" ")
    before = len(text) - len(text.lstrip(" ")) if inner else len(text)
    visible = escaped("␣" * before + inner + "␣" * (len(text) - before - len(inner)))
    if longest is not None and len(visible) > longest:
        visible = f"{visible[: longest - 1]}…"
    return html.escape(visible, quote=False).replace("$", "&#36;")


def shown_names(names: Sequence[str]) -> list[str]:
    """Return names as plotly shows them, each unlike the others also where they are cut."""
    found: dict[str, None] = {}
    for name in names:
        text = shown(str(name))
        alike = (text, *(f"{text} ({number})" for number in range(2, len(names) + 2)))
        found[next(one for one in alike if one not in found)] = None
    return list(found)


def graph_objects() -> Any:
    """Return ``plotly.graph_objects``, imported when first needed."""
    try:
        import plotly.graph_objects as go
    except ImportError as error:
        raise MissingDependencyError("figures need plotly", hint="pip install plotly") from error
    return go


def color(number: int) -> dict[str, str]:
    """Return line color and dash of the class of this number: 24 that differ."""
    return {"color": COLORS[number % len(COLORS)], "dash": _DASHES[number // len(COLORS) % len(_DASHES)]}


def faded(hexadecimal: str, opacity: float = 0.18) -> str:
    """Return a color with the given opacity."""
    red, green, blue = (int(hexadecimal[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"


def checked(name: str, values: ArrayLike, shape: Sequence[int | None]) -> NDArray[np.float64]:
    """Return an array of the shape wanted (None: any length), or say which argument is wrong."""
    array = np.asarray(values, np.float64)
    fits = array.ndim == len(shape) and all(want in {None, have} for want, have in zip(shape, array.shape, strict=True))
    if not fits:
        wanted = ", ".join("any" if length is None else str(length) for length in shape)
        raise ValueError(f"{name} has shape {array.shape}. Expected ({wanted})")
    return array
