"""Label files, taken apart into lines and what is between them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from penstock.errors import ImporterError
from penstock.importers.building._report import IssueLog
from penstock.importers.building._text import read_text
from penstock.importers.yolo._layout import YoloImage
from penstock.importers.yolo._lines import LabelLine, LineReader

__all__ = ["LabelFile", "ReadFile", "parse_files", "read_files", "split_lines", "word_counts"]

_BREAK = re.compile(r"(\r\n|\r|\n)")
_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFile:
    """The text of the label file of an image.

    Parameters
    ----------
    image : YoloImage
        The image.
    start : str, optional
        What is before the first line; None where there is no file.
    lines : tuple of (str, str)
        Lines that are not blank, and what is after each, up to the next.
    """

    image: YoloImage
    start: str | None
    lines: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFile:
    """A label file with what its lines say; lines that cannot be read are left out."""

    image: YoloImage
    start: str | None
    lines: tuple[tuple[str, str, LabelLine], ...] = ()


def split_lines(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    r"""Return what is before the first line that is not blank, and each such line with what follows it.

    Examples
    --------
    >>> split_lines("\n0 .5 .5 .1 .1 \r\n \n1 .5 .5 .1 .1")
    ('\n', (('0 .5 .5 .1 .1 ', '\r\n \n'), ('1 .5 .5 .1 .1', '')))
    """
    start = ""
    lines: list[tuple[str, str]] = []
    pieces = _BREAK.split(text)
    for line, end in zip(pieces[::2], [*pieces[1::2], ""], strict=True):
        if line.strip():
            lines.append((line, end))
        elif lines:
            lines[-1] = lines[-1][0], lines[-1][1] + line + end
        else:
            start += line + end
    return start, tuple(lines)


def read_files(images: Sequence[YoloImage], log: IssueLog) -> list[LabelFile]:
    """Return the label files of images; an image whose file is not text is refused."""
    found = []
    for image in images:
        if image.labels is None:
            found.append(LabelFile(image=image, start=None))
            continue
        try:
            text = read_text(image.labels)
        except ImporterError as error:
            log.refuse(image.path.name, error.message)
            continue
        start, lines = split_lines(text)
        found.append(LabelFile(image=image, start=_mark(image.labels) + start, lines=lines))
    return found


def _mark(path: Path) -> str:
    with path.open("rb") as file:
        return "\ufeff" if file.read(len(_MARK)) == _MARK else ""


def word_counts(files: Sequence[LabelFile]) -> Counter[int]:
    """Return how many lines have how many numbers after that of the class."""
    return Counter(len(text.split()) - 1 for file in files for text, _ in file.lines)


def parse_files(files: Sequence[LabelFile], reader: LineReader, log: IssueLog) -> list[ReadFile]:
    """Return what the lines of label files say; those that cannot be read are refused."""
    found = []
    for file in files:
        lines = []
        for text, end in file.lines:
            try:
                lines.append((text, end, reader.read(text)))
            except ValueError as error:
                name = file.image.labels.name if file.image.labels is not None else file.image.path.name
                log.refuse(name, f"line {text.strip()[:80]!r}: {error}")
        found.append(ReadFile(image=file.image, start=file.start, lines=tuple(lines)))
    return found
