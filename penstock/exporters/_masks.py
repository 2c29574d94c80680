"""Masks of a dataset as PNG files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from penstock.exporters._rows import ExportedRows
from penstock.formats._masks import MaskForm, mask_png, voc_palette

__all__ = ["MaskWriter", "mask_tensors"]

_MOST_OF_PALETTE = 255


def mask_tensors(rows: ExportedRows) -> list[str]:
    """Return the tensors of masks that are numbers."""
    return [name for name, spec in rows.table.tensors.items() if spec.htype == "segment_mask"]


class MaskWriter:
    """Turns the masks of one tensor into PNG files, as they were if they come from such.

    Parameters
    ----------
    name : str
        The tensor.
    note : mapping
        What the import noted of its files.
    """

    def __init__(self, name: str, note: Mapping[str, Any]) -> None:
        self.name = name
        self.num_written = 0
        self.num_changed = 0
        self.num_left_out = 0
        self._forms = [MaskForm.from_json(form) for form in note.get("forms", ())]

    def png(self, mask: NDArray[Any] | None, forms: Any) -> bytes | None:
        """Return the PNG file of a mask; None if there is none, or PNG cannot hold it.

        Parameters
        ----------
        mask : ndarray of shape (height, width)
            The numbers.
        forms : object
            What the import noted of the forms of this sample's masks.
        """
        if mask is None:
            return None
        if mask.ndim != 2 or mask.size == 0:  # height and width
            self.num_left_out += 1
            return None
        chosen = forms.get(self.name, 0) if isinstance(forms, Mapping) else 0
        known = self._forms[chosen : chosen + 1] if isinstance(chosen, int) and chosen >= 0 else []
        for form in (*known, *_USUAL):
            try:
                content = mask_png(mask, form)
            except (ValueError, OSError):
                continue
            self.num_written += 1
            self.num_changed += bool(known) and form is not known[0]
            return content
        self.num_left_out += 1
        return None

    def issues(self) -> list[str]:
        """Return what was written in another way, or left out."""
        found = []
        if self.num_changed:
            found.append(
                f"{self.num_changed:,} masks of {self.name!r} have numbers that their palettes do not have, and were "
                "written without them"
            )
        if self.num_left_out:
            found.append(
                f"{self.num_left_out:,} masks of {self.name!r} cannot be written as PNG. Expected one number from 0 to "
                "65,535 for each pixel"
            )
        return found


_USUAL = (MaskForm(mode="P", palette=voc_palette()), MaskForm(mode="I;16", bits=16))
