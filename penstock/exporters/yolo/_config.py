"""The data.yaml of a YOLO folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.exporters._issues import Issues

__all__ = ["config_text", "flip_order", "split_keys"]

_POSE_KEYS = ("kpt_shape", "flip_idx", "kpt_names")
_FAMILIES = {"train": ("train",), "val": ("val", "dev"), "test": ("test",)}
_SIDES = (("left", "right"), ("Left", "Right"), ("LEFT", "RIGHT"))


def split_keys(folders: Mapping[str, str], issues: Issues) -> dict[str, str | list[str]]:
    """Return the folders of images under the keys that trainers read: train, val and test.

    Examples
    --------
    >>> split_keys({"train2017": "images/train2017", "valid": "images/valid"}, Issues())
    {'train': 'images/train2017', 'val': 'images/valid'}
    """
    found: dict[str, list[str]] = {}
    for subset, folder in folders.items():
        family = (key for key, starts in _FAMILIES.items() if subset.lower().startswith(starts))
        key = next(family, "train" if list(folders) == [""] else "")
        if key:
            found.setdefault(key, []).append(folder)
        else:
            issues.say(f"data.yaml does not name {folder!r}: its split {subset!r} is not train, val or test")
    for key, other in (("val", "test"), ("val", "train"), ("train", "val")):
        if key not in found and other in found:
            found[key] = found[other]
            issues.say(f"there is no split for {key!r}, which trainers need: data.yaml names the images of {other!r}")
    return {
        key: paths[0] if len(paths) == 1 else paths
        for key, paths in sorted(found.items(), key=lambda item: ("train", "val", "test").index(item[0]))
    }


def flip_order(names: Sequence[str]) -> list[int] | None:
    """Return which keypoint each becomes in a mirrored image, by their names; None where the names do not say.

    Examples
    --------
    >>> flip_order(["nose", "left_eye", "right_eye"]), flip_order(["tip", "left_eye"])
    ([0, 2, 1], None)
    """
    mirrored = [_mirrored(name) for name in names]
    if mirrored == list(names) or len(set(names)) < len(names) or not set(mirrored) <= set(names):
        return None
    return [list(names).index(name) for name in mirrored]


def _mirrored(name: str) -> str:
    for left, right in _SIDES:
        if left in name:
            return name.replace(left, right)
        if right in name:
            return name.replace(right, left)
    return name


def config_text(
    source: str,
    names: Mapping[int, str],
    splits: Mapping[str, str | list[str]] | None,
    pose: Mapping[str, Any] | None,
) -> str:
    """Return the text of data.yaml: that of the source where it says the same.

    Parameters
    ----------
    source : str
        The text that the source has; empty for a new one.
    names : mapping of int to str
        The classes by their numbers.
    splits : mapping, optional
        Folders of images by key; None for those of the source.
    pose : mapping, optional
        Keys about keypoints for a new file; None for those of the source, empty for none.
    """
    same_names = bool(source) and _names_in(source) == names
    if same_names and splits is None and pose is None:
        return source
    written = _content(source)
    if splits is not None:
        others = {key: value for key, value in written.items() if key != "path" and not _is_split(key)}
        written = {**splits, **others}
    if pose is not None:
        written = {key: value for key, value in written.items() if key not in _POSE_KEYS} | dict(pose)
    if not same_names:
        written |= {"names": _names_as(names, written.get("names"))}
        written |= {"nc": len(names)} if "nc" in written else {}
    return "".join(_dumped(key, value) for key, value in written.items())


def _dumped(key: Any, value: Any) -> str:
    """Return one key as YAML; lists of numbers on one line, each class on its own."""
    import yaml

    flow = None if isinstance(value, list | dict) and key != "names" else False
    text: str = yaml.safe_dump(
        {key: value}, allow_unicode=True, default_flow_style=flow, sort_keys=False, width=1 << 20
    )
    return text


def _content(source: str) -> dict[Any, Any]:
    """Return the keys of a YAML; with values as text where it has tags that are not of YAML itself."""
    import yaml

    for loader in (yaml.SafeLoader, yaml.BaseLoader):
        try:
            content = yaml.load(source, Loader=loader) if source else {}  # noqa: S506  neither makes objects
        except (yaml.YAMLError, ValueError, RecursionError):
            continue
        return dict(content) if isinstance(content, dict) else {}
    return {}


def _is_split(key: object) -> bool:
    return isinstance(key, str) and key.lower().startswith(("train", "val", "test", "dev"))


def _names_in(source: str) -> dict[int, str]:
    """Return the names in the text of a YAML, as text."""
    import yaml

    try:
        found = yaml.load(source, Loader=yaml.BaseLoader)["names"]  # noqa: S506  makes text, lists and dicts alone
        pairs = enumerate(found) if isinstance(found, list) else ((int(key), name) for key, name in found.items())
        return {number: name.strip() for number, name in pairs if name.strip()}
    except (yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def _names_as(names: Mapping[int, str], before: Any) -> list[str] | dict[int, str]:
    """Return the names in the form of the source: a list, or numbers with names."""
    if isinstance(before, list) and list(names) == list(range(len(names))):
        return list(names.values())
    return dict(names)
