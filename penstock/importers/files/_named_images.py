"""Image files below a folder, found by the names a table has for them."""

from __future__ import annotations

import os
from collections import defaultdict
from functools import cached_property
from pathlib import Path, PurePosixPath

from penstock.errors import ImporterError
from penstock.importers.building._sources import existing_folder
from penstock.importers.files._image_files import image_under
from penstock.importers.files._passed_over import list_files

__all__ = ["NamedImages"]


class NamedImages:
    """Files below a folder by relative path, by name, and by name without ending.

    Parameters
    ----------
    root : str or Path
        The folder; its subfolders are searched as well.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = existing_folder(root, "the folder of images")

    @cached_property
    def _by_name(self) -> dict[str, list[Path]]:
        found: dict[str, list[Path]] = defaultdict(list)
        for path in list_files(self.root).files:
            found[path.name].append(path)
        return dict(found)

    @cached_property
    def _by_stem(self) -> dict[str, list[Path]]:
        found: dict[str, list[Path]] = defaultdict(list)
        for paths in self._by_name.values():
            for path in paths:
                found[path.stem].append(path)
        return dict(found)

    def find(self, name: str) -> Path:
        """Return the one file that is at `name` below the folder, or has this name in a subfolder.

        Raises
        ------
        ImporterError
            If there is no such file, or there are several.
        """
        plain = name.replace("\\", "/")
        if "\x00" in plain:
            raise ImporterError(
                f"the file {name!r} does not exist. Expected the name of a file below {str(self.root)!r}"
            )
        direct = image_under(self.root, plain)
        if os.path.isfile(direct):
            return direct
        named = PurePosixPath(plain)
        for known in (self._by_name, self._by_stem):
            found = [path for path in known.get(named.name, []) if _is_in(path, named.parent)]
            if len(found) == 1:
                return found[0]
            if found:
                raise ImporterError(
                    f"there are {len(found)} files named {name!r} below {str(self.root)!r}. Expected one"
                )
        raise ImporterError(f"there is no file {name!r} below {str(self.root)!r}")


def _is_in(path: Path, folder: PurePosixPath) -> bool:
    """Return whether a file is in a folder of this name, if the name has one."""
    return folder == PurePosixPath() or path.absolute().parent.as_posix().endswith(f"/{folder}")
