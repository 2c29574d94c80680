"""Annotations that no importer reads: they are reported, never left out silently."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from penstock.importers.files._passed_over import Listing, is_image_file
from penstock.importers.voc._file import root_tag
from penstock.importers.yolo._layout import looks_like_labels

__all__ = ["annotations_seen"]

_HEAD = 262_144
_NUM_IMAGES = 200
_MOST_READ = 500
_SIDECARS = frozenset({".json", ".xml", ".txt", ".csv", ".mat", ".npz", ".npy", ".pts"})
_TEXT = frozenset({".json", ".jsonl", ".ndjson", ".xml", ".txt", ".csv", ".tsv", ".yaml", ".yml", ".names", ".data"})
_BINARY = frozenset({".parquet", ".pkl", ".mat", ".xlsx", ".tfrecord", ".record", ".h5", ".hdf5", ".arrow", ".feather"})
_SAYS_SO = re.compile(r"annot|label|bbox|ground|truth|(^|[^a-z])gt([^a-z]|$)|mask|segment", re.IGNORECASE)
_NUMBERS = re.compile(rb"^\s*-?[\d.]+([\s,;]+-?[\d.]+){3,}")
_IMAGES = frozenset({"images", "image", "imgs", "img", "jpegimages"})
_MASKS = re.compile(r"labels?|masks?|annotations?|gt|ground_?truth|segmentation\w*|trimaps?|groundtruth", re.IGNORECASE)
_KINDS = (
    (re.compile(rb'"shapes".{0,200000}"image(Path|Data)"|"imagePath".{0,200000}"shapes"', re.DOTALL), "LabelMe JSON"),
    (re.compile(rb'"_via_|"regions"\s*:'), "a VGG Image Annotator project"),
    (re.compile(rb'"(annotations|completions)"\s*:\s*\[.{0,5000}"result"', re.DOTALL), "Label Studio tasks"),
    (re.compile(rb'"image"\s*:.{0,2000}"coordinates"', re.DOTALL), "CreateML JSON"),
    (re.compile(rb'"file_name"\s*:|"segmentation"\s*:|"bbox"\s*:'), "JSON annotations"),
)


def annotations_seen(root: Path, listing: Listing) -> list[tuple[Path, str]]:
    """Return the files and folders below a folder of images that look like annotations, and what they look like.

    Parameters
    ----------
    root : Path
        The folder.
    listing : Listing
        What is below it.
    """
    images = [path for path in listing.files if is_image_file(path)]
    taken = set(images)
    others = [path for path in listing.files if path not in taken]
    return [*_mask_folders(root, images), *_files(others, images)]


def _mask_folders(root: Path, images: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """Yield folders of label images: next to a folder of images, with the same file names."""
    stems: dict[Path, set[str]] = {}
    for path in images:
        for folder in path.parents:
            if folder == root or not folder.is_relative_to(root):
                break
            stems.setdefault(folder, set()).add(path.stem)
    for folder, names in stems.items():
        if _MASKS.fullmatch(folder.name):
            beside = [other for other in stems if other.parent == folder.parent and other.name.lower() in _IMAGES]
            if any(names & stems[other] for other in beside):
                yield folder, "label images"


def _files(others: Sequence[Path], images: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    stems = {path.stem for path in images}
    names = [path.name.encode(errors="surrogateescape") for path in images[:: max(1, len(images) // _NUM_IMAGES)]]
    names += [path.name.encode(errors="surrogateescape") for path in images[:20]]
    for path in others[:_MOST_READ]:
        what = _what(path, stems, names)
        if what:
            yield path, what


def _what(path: Path, stems: set[str], names: Sequence[bytes]) -> str | None:
    suffix = next((suffix for suffix in reversed(path.suffixes) if suffix not in {".gz", ".zip", ".bz2"}), "").lower()
    if suffix in _BINARY and _SAYS_SO.search(path.name):
        return "a table or archive whose name suggests annotations"
    if suffix == ".xml" and (tag := root_tag(path)) is not None:
        return "CVAT annotations" if tag == "annotations" else f"XML with <{tag}>"
    if suffix in _SIDECARS and path.stem in stems:
        return "a file with the same name as an image"
    return _what_text(path, suffix, names) if suffix in _TEXT else None


def _what_text(path: Path, suffix: str, names: Sequence[bytes]) -> str | None:
    head = _head(path)
    if suffix in {".json", ".jsonl", ".ndjson"}:
        known = next((kind for pattern, kind in _KINDS if pattern.search(head)), None)
        if known:
            return known
    if suffix == ".txt" and (looks_like_labels(path) or _NUMBERS.match(head)):
        return "lines of numbers, as in label files"
    if any(name in head for name in names):
        return "it names the images"
    return (
        "a table whose name suggests annotations" if suffix in {".csv", ".tsv"} and _SAYS_SO.search(path.name) else None
    )


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
        if not head.startswith(b"\x1f\x8b"):
            return head
        with gzip.open(path, "rb") as unpacked:
            return unpacked.read(_HEAD)
    except (OSError, EOFError, zlib.error):
        return b""
