"""PNG files of masks: the number of each pixel, and how the files show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ImporterError
from penstock.formats._masks import MaskForm, color_numbers, mask_form, mask_pixels, packed_colors
from penstock.importers.building._report import IssueLog

__all__ = ["MaskFiles"]

_MOST_COLORS = 65_536


class MaskFiles:
    """The masks of some images, which all have numbers of one type.

    Parameters
    ----------
    paths : sequence of Path or None
        The file of each image; None if it has no mask.
    log : IssueLog
        Takes files that are not masks.
    """

    def __init__(self, paths: Sequence[Path | None], log: IssueLog) -> None:
        found = [None if path is None else _form(path, log) for path in paths]
        self._paths = [path if form is not None else None for path, form in zip(paths, found, strict=True)]
        self._colors = _colors([path for path, form in zip(paths, found, strict=True) if _is_colored(form) and path])
        palette = color_numbers(list(self._colors))
        colored = MaskForm(mode="RGB", palette=palette)
        self._forms = [colored if _is_colored(form) else form for form in found]
        counts = Counter(form for form in self._forms if form is not None)
        self.forms = sorted(counts, key=counts.__getitem__, reverse=True)

    def __bool__(self) -> bool:
        return bool(self.forms)

    @property
    def dtype(self) -> str:
        """Type of the numbers."""
        return str(np.result_type(*(form.dtype for form in self.forms)))

    @property
    def files(self) -> list[Path]:
        """The files."""
        return [path for path in self._paths if path is not None]

    def form_of(self, row: int) -> int:
        """Return the place of a mask's form in `forms`; 0 where there is no mask."""
        form = self._forms[row]
        return 0 if form is None else self.forms.index(form)

    def read(self, row: int) -> NDArray[Any] | None:
        """Return the numbers of a mask, None where there is none.

        Raises
        ------
        ImporterError
            If the file cannot be read.
        """
        path, form = self._paths[row], self._forms[row]
        if path is None or form is None:
            return None
        try:
            return mask_pixels(path.read_bytes(), form, self._colors)
        except Exception as error:  # noqa: BLE001  Pillow raises many kinds for a broken file
            raise ImporterError(f"the mask {str(path)!r} cannot be read: {error}") from None


def _is_colored(form: MaskForm | None) -> bool:
    return form is not None and form.mode == "RGB"


def _form(path: Path, log: IssueLog) -> MaskForm | None:
    try:
        form = mask_form(path)
    except Exception as error:  # noqa: BLE001  Pillow raises many kinds for a broken file
        log.refuse(str(path), f"the mask cannot be read: {error}")
        return None
    if form is None:
        log.note(str(path), "is not a PNG file of numbers or colors, and was not imported as a mask")
    return form


def _colors(paths: Sequence[Path]) -> dict[int, int]:
    """Return the number of each color in some files: 0 for black, then by first appearance."""
    found: dict[int, int] = {0: 0} if paths else {}
    for path in paths:
        for color in np.unique(_packed(path)).tolist():
            found.setdefault(color, len(found))
        if len(found) > _MOST_COLORS:
            raise ImporterError(f"the masks have more than {_MOST_COLORS:,} colors. Expected one for each class")
    return found


def _packed(path: Path) -> NDArray[np.uint32]:
    """Return the colors of a file; none of one that cannot be read, which is refused when its sample is."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            return packed_colors(np.array(image.convert("RGB")))
    except Exception:  # noqa: BLE001  Pillow raises many kinds for a broken file
        return np.empty(0, np.uint32)
