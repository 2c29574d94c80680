"""The configuration files of a YOLO dataset: class names, keypoints, splits."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from penstock.errors import ImporterError
from penstock.importers.building._report import IssueLog
from penstock.importers.building._text import read_lines, read_text, shown

__all__ = ["YoloConfig", "find_config", "is_class_list", "named_classes"]

_YAML = (".yaml", ".yml")
_PREFERRED = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
_CLASS_LISTS = frozenset({"classes.txt", "obj.names", "_darknet.labels", "predefined_classes.txt", "class_names.txt"})
_SPLIT_KEYS = re.compile(r"(train|val|valid|validation|test|dev)\w*", re.IGNORECASE)
_MOST_CLASSES = 100_000
_LARGEST_DATA = 100_000  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class YoloConfig:
    """The configuration in one file of a YOLO dataset.

    Parameters
    ----------
    file : Path
        The file.
    names : dict of int to str
        Name of each number in the label files; numbers without a name are missing.
    keypoints : tuple of int, optional
        Keypoints of an object and numbers of each, where the labels are poses.
    base : str
        Folder that paths in the file start from.
    splits : dict of str to tuple of str
        Folders, images or lists of images of each split.
    text : str
        The content of a YAML file.
    """

    file: Path
    names: dict[int, str] = field(default_factory=dict)
    keypoints: tuple[int, int] | None = None
    base: str = ""
    splits: dict[str, tuple[str, ...]] = field(default_factory=dict)
    text: str = ""

    @property
    def header(self) -> dict[str, Any]:
        """All keys of the YAML as JSON; empty where they are too many to keep, or not JSON."""
        import yaml

        try:
            content = yaml.safe_load(self.text) if len(self.text) < _LARGEST_DATA else None
            kept = json.loads(json.dumps(content, default=str, allow_nan=False))
        except (yaml.YAMLError, ValueError, TypeError, RecursionError):
            return {}
        return kept if isinstance(kept, dict) else {}


def find_config(root: Path, files: Sequence[Path]) -> YoloConfig:
    """Return what the YAML file, the darknet data file or the list of classes of a dataset says.

    Parameters
    ----------
    root : Path
        The dataset's folder; its YAML may also be one folder above.
    files : sequence of Path
        What is below it.

    Raises
    ------
    ImporterError
        If no file has class names, or several have different ones.
    """
    configs, failures = _read_all([*_yaml_files(files), *_data_files(files), *_class_lists(files)])
    if not configs:
        above, more = _read_all(_yaml_files(sorted(root.absolute().parent.glob("*.y*ml"))))
        configs, failures = [replace(config, splits={}) for config in above], failures or more
    if not configs:
        raise (
            failures[0]
            if failures
            else ImporterError(
                f"{str(root)!r} has no class names. Expected a YAML file with names, classes.txt or obj.names",
                hint="or pass class_names=",
            )
        )
    return _agreed(configs)


def _read_all(files: Sequence[Path]) -> tuple[list[YoloConfig], list[ImporterError]]:
    configs, failures = [], []
    for file in files:
        try:
            config = _read_yaml(file) if file.suffix.lower() in _YAML else _read_plain(file)
        except ImporterError as error:
            failures.append(error)
        else:
            configs.append(config)
    return configs, failures


def _agreed(configs: Sequence[YoloConfig]) -> YoloConfig:
    """Return the first configuration with splits, or else the first; all must list the same classes."""
    first = configs[0]
    preferred = first.file.name.lower() in _PREFERRED
    for other in configs[1:]:
        if other.names != first.names and not (preferred and other.file.suffix.lower() in _YAML):
            raise ImporterError(
                f"{first.file} and {other.file} list different classes. Expected one list of classes",
                hint="pass class_names=, a list of names from number 0",
            )
    return next((config for config in configs if config.splits and config.names == first.names), first)


def named_classes(
    config: YoloConfig, class_names: Sequence[str] | None, log: IssueLog
) -> tuple[tuple[str, ...], dict[int, int]]:
    """Return the class names, and the class of each number in the label files."""
    if class_names is not None and (
        isinstance(class_names, str) or not all(isinstance(name, str) and name for name in class_names)
    ):
        raise ImporterError(f"class_names={shown(class_names)} is not valid. Expected a list of names, from number 0")
    names = dict(enumerate(class_names)) if class_names is not None else config.names
    distinct = tuple(dict.fromkeys(names[number] for number in sorted(names)))
    if len(distinct) < len(names):
        twice = sorted({name for name in distinct if list(names.values()).count(name) > 1})
        log.note(
            str(config.file),
            f"several numbers have the name {', '.join(map(repr, twice))}; each name becomes one class",
        )
    index = {name: at for at, name in enumerate(distinct)}
    return distinct, {number: index[name] for number, name in names.items()}


def is_class_list(path: Path) -> bool:
    """Return whether a file's name is that of a list of class names."""
    return path.name.lower() in _CLASS_LISTS or path.suffix.lower() == ".names"


def _yaml_files(files: Sequence[Path]) -> list[Path]:
    """Return the YAML files of the uppermost folder that has some, those of the usual names first."""
    found = [file for file in files if file.suffix.lower() in _YAML]
    depth = min((len(file.parts) for file in found), default=0)
    found = [file for file in found if len(file.parts) == depth or file.name.lower() in _PREFERRED]
    return sorted(found, key=lambda file: (file.name.lower() not in _PREFERRED, len(file.parts), file))


def _data_files(files: Sequence[Path]) -> list[Path]:
    return [file for file in files if file.suffix.lower() == ".data" and file.stat().st_size < _LARGEST_DATA]


def _class_lists(files: Sequence[Path]) -> list[Path]:
    return [file for file in files if is_class_list(file)]


def _read_yaml(file: Path) -> YoloConfig:
    """Return what a YAML file says; every scalar is the text that is written there.

    Raises
    ------
    ImporterError
        If it cannot be read, or has no names.
    """
    import yaml

    try:
        text = read_text(file)
        data: Any = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  makes text, lists and dicts alone
    except ImporterError:
        raise
    except Exception as error:  # noqa: BLE001  YAMLError, RecursionError, ValueError, TypeError, all seen
        raise ImporterError(f"{file} cannot be read as YAML: {' '.join(str(error).split())[:300]}") from None
    names = _names(data.get("names") if isinstance(data, dict) else None)
    if not names:
        raise ImporterError(f"{file} has no names. Expected a list of class names, or numbers from 0, each with a name")
    splits = {key: _texts(value) for key, value in data.items() if isinstance(key, str) and _SPLIT_KEYS.fullmatch(key)}
    base = data.get("path")
    return YoloConfig(
        file=file,
        names=names,
        keypoints=_keypoints(data.get("kpt_shape"), file),
        base=base if isinstance(base, str) else "",
        splits={key: value for key, value in splits.items() if value},
        text=text,
    )


def _names(value: object) -> dict[int, str] | None:
    """Return the name of each number; an empty name leaves its number without one."""
    if isinstance(value, list):
        pairs = list(enumerate(value))
    elif isinstance(value, dict) and all(isinstance(key, str) and _is_number(key) for key in value):
        pairs = [(int(key), name) for key, name in value.items()]
    else:
        return None
    if not all(isinstance(name, str) for _, name in pairs):
        return None
    return {number: name.strip() for number, name in pairs if name.strip()}


def _is_number(text: str) -> bool:
    return text.strip().isdecimal() and len(text.strip()) < 8 and int(text) < _MOST_CLASSES


def _texts(value: object) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(text.strip() for text in values if isinstance(text, str) and text.strip())


def _keypoints(value: object, file: Path) -> tuple[int, int] | None:
    if value is None or value in ("", "null", "~"):
        return None
    if isinstance(value, list) and len(value) == 2 and all(isinstance(v, str) and _is_number(v) for v in value):
        count, size = (int(text) for text in value)
        if count > 0 and size in (2, 3):
            return count, size
    raise ImporterError(f"{file} has kpt_shape {shown(value)}. Expected [keypoints, 2 or 3], such as [17, 3]")


def _read_plain(file: Path) -> YoloConfig:
    """Return what a list of classes, or a darknet data file that names one, says."""
    if file.suffix.lower() != ".data":
        names = {number: line.strip() for number, line in enumerate(read_lines(file)) if line.strip()}
        if not names:
            raise ImporterError(f"{file} has no class names. Expected one per line")
        return YoloConfig(file=file, names=names)
    pairs = [line.partition("=") for line in read_lines(file)]
    said = {key.strip().lower(): value.strip() for key, sign, value in pairs if sign}
    place = next((place for place in _below(file.parent, said.get("names", "")) if os.path.isfile(place)), None)
    if place is None:
        raise ImporterError(f"{file} refers to a list of classes that does not exist: {said.get('names', '')!r}")
    splits: dict[str, tuple[str, ...]] = {
        key: (value,) for key, value in said.items() if _SPLIT_KEYS.fullmatch(key) and value
    }
    return YoloConfig(file=file, names=_read_plain(place).names, splits=splits)


def _below(folder: Path, name: str) -> list[Path]:
    """Return where a name may be below a folder: as written, or without its first folders."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return [folder.joinpath(*parts[start:]) for start in range(len(parts))]
