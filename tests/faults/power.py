"""What a power loss leaves: what was not synced is gone, names and contents each for themselves."""

from __future__ import annotations

import os
import posixpath
import shutil
from dataclasses import dataclass
from pathlib import Path

KINDS = ("names lost", "contents lost")
_MARKS = ".readers"  # of versions that a process reads: they end with it, and nothing is lost with them


@dataclass(eq=False)
class _File:
    """A file under whatever names; `origin` is its path before everything, None for a new one; `kept` where its
    contents are since its last name went."""

    origin: str | None
    synced: bool
    is_folder: bool = False
    kept: str | None = None


def lose_power(before, now, journal, kind, into):
    """Write to `into` what a power loss leaves of the folder `now`, which was all synced when it was `before`.

    "names lost": entries of a folder that was not synced since are as they were, and contents not
    synced are empty. "contents lost": entries survive, contents that were not synced are empty.
    """
    live, durable = _replayed(before, journal, str(now))
    _add_unseen(live, now)
    kept = durable if kind == "names lost" else live
    places = {file: path for path, file in live.items()}
    for path in sorted(kept):
        file = kept[path]
        target = Path(into, path)
        if not target.parent.is_dir():
            continue
        if file.is_folder:
            target.mkdir(exist_ok=True)
        elif not file.synced:
            target.write_bytes(b"")
        elif file in places:
            shutil.copyfile(Path(now, places[file]), target)
        elif file.kept is not None:
            shutil.copyfile(Path(now, file.kept), target)
        elif file.origin is not None:
            shutil.copyfile(Path(before, file.origin), target)


def _tree(folder):
    found = {}
    for home, folders, names in os.walk(folder):
        where = os.path.relpath(home, folder)
        for name in [*folders, *names]:
            path = posixpath.normpath(f"{where}/{name}")
            if _MARKS in path.split("/"):
                continue
            found[path] = _File(origin=path, synced=True, is_folder=name in folders)
    return found


def _replayed(before, journal, root):
    """Return the entries the process saw at the end, and those that are on the disk for sure."""
    live = _tree(before)
    durable = dict(live)
    for line in journal.splitlines():
        what, one, two = line.split("\t")
        one, two = (os.path.relpath(path, root) if path else "" for path in (one, two))
        if _MARKS in one.split("/"):
            continue
        _step(live, durable, what, one, two)
    return live, durable


def _add_unseen(live, now):
    """Add the files that got their names unseen: the engine renames some by a system call of its own."""
    there = _tree(now)
    for path in [path for path in live if path not in there and posixpath.basename(path).startswith(".tmp")]:
        del live[path]
    for path in there.keys() - live.keys():
        live[path] = _File(origin=None, synced=False, is_folder=there[path].is_folder)


def _step(live, durable, what, one, two):
    if what in "OM":
        live[one] = _File(origin=None, synced=True, is_folder=what == "M")
    elif what == "W" and one in live:
        live[one].synced = False
    elif what in "UDK":
        gone = live.pop(one, None)
        if gone is not None:
            gone.kept = two or None
    elif what == "L" and one in live:
        live[two] = live[one]
    elif what == "R":
        if one not in durable:  # a folder whose name nothing kept yet: what is known to be in it goes along
            _move(durable, one, two)
        _move(live, one, two)
        live[two] = live.pop(one)
    elif what == "S":
        _sync(live, durable, one)


def _sync(live, durable, path):
    if path in live and not live[path].is_folder:
        live[path].synced = True
        return
    if path not in live and path != "." and "." in posixpath.basename(path):  # it got this name unseen
        live[path] = _File(origin=None, synced=True)
        return
    home = "" if path == "." else path
    _move_folders(live, durable, home)
    for name in [name for name in durable if posixpath.dirname(name) == home and name not in live]:
        del durable[name]
    durable.update({name: file for name, file in live.items() if posixpath.dirname(name) == home})


def _move_folders(live, durable, home):
    """What is known to be in a folder follows it to the name it has now."""
    places = {file: name for name, file in durable.items() if file.is_folder}
    for name, file in live.items():
        before = places.get(file)
        if posixpath.dirname(name) == home and before not in {None, name}:
            _move(durable, before, name)
            del durable[before]


def _move(entries, before, now):
    for path in [path for path in entries if path.startswith(f"{before}/")]:
        entries[now + path[len(before) :]] = entries.pop(path)
