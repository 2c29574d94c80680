"""What an export wrote, and what the format cannot represent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from penstock._wording import escaped

__all__ = ["ExportReport"]

_NUM_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReport:
    """What an export wrote, and what the format cannot represent.

    Parameters
    ----------
    path : Path
        The file or folder that was written.
    num_samples : int
        Images in it.
    num_objects : int
        Annotations in it.
    issues : tuple of str
        What was written in another way than the dataset has it, or left out.

    Examples
    --------
    >>> print(ExportReport(path=Path("out.json"), num_samples=2, num_objects=3))
    2 images, 3 objects in out.json
    """

    path: Path
    num_samples: int
    num_objects: int
    issues: tuple[str, ...] = ()

    def __str__(self) -> str:
        head = escaped(f"{self.num_samples:,} images, {self.num_objects:,} objects in {self.path}")
        left = len(self.issues) - _NUM_SHOWN
        shown = [head, *(escaped(f"  {issue}") for issue in self.issues[:_NUM_SHOWN])]
        return "\n".join([*shown, *([f"  … and {left:,} more"] if left > 0 else [])])
