"""A COCO instances file: read, checked, and its images looked for."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, cast

from penstock.errors import ImporterError
from penstock.importers.coco._content import Content, FileContent
from penstock.importers.coco._spans import Entries, read_members
from penstock.importers.files._passed_over import is_passed_over
from penstock.importers.files._subsets import subset_in

__all__ = ["find_coco_images", "image_name", "is_coco", "read_coco"]

_HEAD = 4  # bytes that tell an encoding
_GZIP_MAGIC = b"\x1f\x8b"
_USE_INSTANCES = "captions have no boxes; use the instances file"
_NUM_LOOKED_FOR = 200
_DEEPEST = 3
_ANNOTATIONS = frozenset({"annotations", "annotation", "anns", "ann", "labels", "json", "coco", "meta", "metadata"})
_MOST_FOLDERS = 2000


def read_coco(path: Path) -> dict[str, Any]:
    """Read a COCO instances file, plain or gzipped, and check that it is one.

    Raises
    ------
    ImporterError
        If it is not one; the message says what was seen instead.
    """
    data = load_json(path)
    if isinstance(data, list):
        raise ImporterError(
            f"{path} is not a COCO instances file: it is a list. Expected an object with images, annotations and "
            "categories",
            hint="Label Studio tasks and CreateML files are lists; export them as COCO or YOLO",
        )
    missing = [key for key in ("images", "annotations", "categories") if not _is_list(data, key)]
    if missing:
        raise ImporterError(
            f"{path} is not a COCO instances file: it has no list of {missing[0]}. "
            "Expected images, annotations and categories",
            hint=_USE_INSTANCES if missing == ["categories"] else None,
        )
    found = cast("dict[str, Any]", data)
    first = next(iter(found["annotations"]), None)
    if isinstance(first, dict) and "caption" in first and "bbox" not in first:
        raise ImporterError(
            f"{path} is not a COCO instances file: its annotations are captions. Expected boxes and categories",
            hint=_USE_INSTANCES,
        )
    return found


def is_coco(path: Path) -> bool:
    """Return whether the file is COCO instances."""
    try:
        read_coco(path)
    except ImporterError:
        return False
    return True


def load_json(path: Path) -> object:
    """Return what a JSON file has, plain or gzipped.

    Raises
    ------
    ImporterError
        If the file is missing, or not JSON.
    """
    try:
        content = _content(path)
        try:
            return read_members(content, "annotations")
        except ValueError:
            return json.loads(content[:].decode("utf-8", "surrogatepass"))
    except FileNotFoundError:
        raise ImporterError(f"the annotations file {str(path)!r} does not exist. Expected a COCO JSON file") from None
    except json.JSONDecodeError as error:
        raise ImporterError(
            f"{path} is not complete JSON: {error.msg.removesuffix(' at')} at line {error.lineno}, "
            f"column {error.colno}",
            hint="the download may have been interrupted",
        ) from None
    except RecursionError:
        raise ImporterError(f"{path} cannot be read as JSON: it is nested too deeply. Expected a COCO file") from None
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise ImporterError(f"{path} cannot be read as JSON: {error}. Expected a COCO JSON file") from None


def _content(path: Path) -> Content:
    """Return a document in UTF-8: the file itself, if it is one."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    is_plain = not head.startswith(_GZIP_MAGIC) and json.detect_encoding(head) == "utf-8"
    if is_plain and path.is_file() and hasattr(os, "pread"):
        return FileContent(path)
    content = path.read_bytes()
    if content.startswith(_GZIP_MAGIC):
        content = gzip.decompress(content)
    encoding = json.detect_encoding(content)
    return (
        content if encoding == "utf-8" else content.decode(encoding, "surrogatepass").encode("utf-8", "surrogatepass")
    )


def _is_list(data: object, key: str) -> bool:
    return isinstance(data, dict) and isinstance(data.get(key), (list, Entries))


def image_name(entry: object) -> str | None:
    """Return an image's name: its file name, or, as in LVIS, the last two parts of its address."""
    if not isinstance(entry, dict):
        return None
    name = entry.get("file_name")
    if isinstance(name, str) and name:
        return name
    url = entry.get("coco_url") or entry.get("flickr_url")
    return "/".join(url.split("/")[-2:]) if isinstance(url, str) and "/" in url else None


def find_coco_images(annotations: Path, data: dict[str, Any] | None = None) -> Path:
    """Return the folder near an annotations file that has most of its images.

    Parameters
    ----------
    annotations : Path
        The file.
    data : dict, optional
        What `read_coco` read from it.

    Raises
    ------
    ImporterError
        If no folder below the file's, or next to it, has one of the images.
    """
    entries = (read_coco(annotations) if data is None else data)["images"]
    names = list(islice((name.replace("\\", "/") for entry in entries if (name := image_name(entry))), _NUM_LOOKED_FOR))
    folders = list(islice(_near(annotations), _MOST_FOLDERS))
    counts = _counts(folders, names)
    if not any(counts):  # LVIS: the name of the address's folder need not be that of the images
        counts = _counts(folders, [name.rsplit("/", 1)[-1] for name in names])
    if not any(counts):
        first = f"the image {names[0]!r} or any other image that it lists" if names else "an image that it lists"
        raise ImporterError(
            f"no folder near {str(annotations)!r} contains {first}",
            hint="pass the folder: --images FOLDER",
        )
    return _best(annotations, [folder for folder, count in zip(folders, counts, strict=True) if count == max(counts)])


def _counts(folders: list[Path], names: list[str]) -> list[int]:
    return [sum(os.path.isfile(folder / name) for name in names) for folder in folders]


def _best(annotations: Path, folders: list[Path]) -> Path:
    """Return the folder of the file, or that of the file's split; other folders that have as many images are alike."""
    if len(folders) == 1 or folders[0] == annotations.parent:
        return folders[0]
    subset = subset_in([annotations.name], words=True)
    of_subset = [folder for folder in folders if subset and subset in folder.parts[-2:]]
    if len(of_subset) == 1:
        return of_subset[0]
    raise ImporterError(
        f"{len(folders)} folders near {str(annotations)!r} contain its images: {', '.join(map(str, folders[:4]))}",
        hint="pass the folder: --images FOLDER",
    )


def _near(annotations: Path) -> Iterator[Path]:
    """Yield the file's folder and those below it, and for an annotations folder, those next to it."""
    folder = annotations.parent
    tops = [folder]
    if folder.absolute().name.lower() in _ANNOTATIONS:
        tops.append(folder.absolute().parent if folder.name in {"", ".", ".."} else folder.parent)
    seen: set[Path] = set()
    for top in tops:
        level = [top]
        for _ in range(_DEEPEST + 1):
            yield from (one for one in level if one not in seen)
            seen.update(level)
            level = [child for one in level for child in _folders(one)]


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(child for child in folder.iterdir() if child.is_dir() and not is_passed_over(child.name))
    except OSError:
        return []
