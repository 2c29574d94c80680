"""What annotations and their folders are called when they are written again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["VocNames", "voc_names"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VocNames:
    """Names of annotations.

    Parameters
    ----------
    ids : tuple of str
        Of each annotation, as lists of images call it; with its dataset before it if there are several.
    homes : tuple of str
        Folders of several datasets, such as ``VOC2007``; empty if there is one.
    """

    ids: tuple[str, ...]
    homes: tuple[str, ...]

    def of_home(self, home: str) -> Mapping[str, int]:
        """Return the place of each annotation of a dataset, by its name and by that of its file."""
        found: dict[str, int] = {}
        for at, name in enumerate(self.ids):
            if not self.homes or name.startswith(f"{home}/"):
                own = name.removeprefix(f"{home}/") if self.homes else name
                found.setdefault(own.rsplit("/", 1)[-1], at)
                found[own] = at
        return found


def voc_names(files: Sequence[Path], root: Path, folders: frozenset[str], *, has_lists: bool) -> VocNames:
    """Return the names of annotation files.

    Parameters
    ----------
    files : sequence of Path
        The files.
    root : Path
        Folder that they are in.
    folders : frozenset of str
        Names of folders of annotations, in lower case.
    has_lists : bool
        Whether there are lists of images, which call annotations by these names.
    """
    placed = [_placed(file.relative_to(root), folders) for file in files]
    homes = tuple(dict.fromkeys(home for home, _ in placed))
    flat = tuple(name for _, name in placed)
    if len(homes) < 2 or (len(set(flat)) == len(flat) and not has_lists):
        return VocNames(ids=flat, homes=())
    return VocNames(ids=tuple(f"{home}/{name}" if home else name for home, name in placed), homes=homes)


def _placed(path: Path, folders: frozenset[str]) -> tuple[str, str]:
    """Return the folder of a dataset, and the name of an annotation in its folder of annotations."""
    parts = path.with_suffix("").parts
    at = next((at for at, part in enumerate(parts[:-1]) if part.lower() in folders), None)
    if at is None:
        return "/".join(parts[:-1]), parts[-1]
    return "/".join(parts[:at]), "/".join([*(part for part in parts[at:-1] if part.lower() not in folders), parts[-1]])
