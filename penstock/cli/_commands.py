"""The commands; each returns the exit status."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock import exporters, importers
from penstock._wording import escaped
from penstock.cli._jupyter import check_installed
from penstock.cli._launcher import launch, notebook_for, tour_notebook
from penstock.cli._terminal import say
from penstock.dataset import Dataset, load
from penstock.errors import DatasetNotFoundError, ImporterError
from penstock.importers import Source, recognize
from penstock.importers._demo import prepare_demo
from penstock.importers._recognize import describe_import
from penstock.importers.building import load_or_make

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "explore",
    "export",
    "import_auto",
    "import_coco",
    "import_rooted",
    "import_standard",
    "import_table",
    "log",
    "query",
    "verify",
]

_ROOTED: dict[str, Callable[..., Dataset]] = {
    "voc": importers.from_voc,
    "yolo": importers.from_yolo,
    "folder": importers.from_folder,
}
_EXPORTERS: dict[str, Callable[..., exporters.ExportReport]] = {
    "coco": exporters.to_coco,
    "csv": exporters.to_csv,
    "folder": exporters.to_folder,
    "voc": exporters.to_voc,
    "yolo": exporters.to_yolo,
}
_WIDEST_CELL = 60
_MOST_LISTED = 20


def explore(options: argparse.Namespace) -> int:
    """Open JupyterLab on the demo, on a dataset, or on a path, which is imported first."""
    check_installed()
    folder = Path(options.folder)
    if not folder.is_dir():
        raise ImporterError(f"the folder {options.folder!r} does not exist. Expected a folder to write the notebook to")
    if options.path is None:
        prepare_demo()  # drawn here, so that a failure is said here
        notebook = tour_notebook(folder)
    else:
        notebook = notebook_for(_dataset_at(options.path, options.images), folder)
    launch(notebook, port=options.port, open_browser=not options.no_browser)
    return 0


def import_coco(options: argparse.Namespace) -> int:
    """Import COCO instances."""
    dataset = importers.from_coco(
        options.annotations,
        options.images,
        options.dest,
        link=options.link,
        roots=options.roots,
        exif=options.exif,
        on_error=options.on_error,
        num_workers=options.num_workers,
    )
    return _made(dataset, "coco")


def import_auto(options: argparse.Namespace) -> int:
    """Import what a path has, or, in a dry run, say what an import would take and leave."""
    source = recognize(Path(options.path), Path(options.images) if options.images else None)
    if options.dry_run:
        return _inspected(source)
    if options.dest is None:
        raise ImporterError(
            "no destination was given. Expected DEST after PATH",
            hint="--dry-run writes nothing and needs no destination",
        )
    say(escaped(str(source)))
    dataset = source.make(options.dest, on_error=options.on_error, num_workers=options.num_workers)
    return _made(dataset, source.kind)


def _inspected(source: Source) -> int:
    found = source.inspect()
    say(escaped(str(found)))
    say(escaped(f"at: {source.root}"))
    for path in found.ignored[:_MOST_LISTED]:
        say(escaped(f"  ignored: {path}"))
    if len(found.ignored) > _MOST_LISTED:
        say(f"  … and {len(found.ignored) - _MOST_LISTED:,} more")
    return 0


def import_rooted(options: argparse.Namespace) -> int:
    """Import a VOC, YOLO or image folder."""
    names = {"folder": ("splits",), "voc": ("split", "roots", "exif"), "yolo": ("split", "roots", "exif", "task")}[
        options.kind
    ]
    more = {name: getattr(options, name) for name in names}
    if more.get("splits") is not None:
        more["splits"] = [name.strip() for name in more["splits"].split(",") if name.strip()]
    make = _ROOTED[options.kind]
    dataset = make(options.root, options.dest, on_error=options.on_error, num_workers=options.num_workers, **more)
    return _made(dataset, options.kind)


def import_table(options: argparse.Namespace) -> int:
    """Import a table of multi-label cells."""
    dataset = importers.from_table(
        options.table,
        options.dest,
        tensors=_pairs(options.labels, "--labels"),
        images=options.images,
        image_root=options.image_root,
        separator=options.separator,
        rename=_pairs(options.rename, "--rename"),
        keep=not options.named_only,
        on_error=options.on_error,
        num_workers=options.num_workers,
    )
    return _made(dataset)


def export(options: argparse.Namespace) -> int:
    """Write annotations in a format of other tools."""
    dataset = load(options.path, read_only=True)
    rows = dataset if options.query is None else dataset.query(options.query)
    options_given = {name: getattr(options, name, None) for name in ("images", "task")}
    chosen = {name: value for name, value in options_given.items() if value is not None}
    say(str(_EXPORTERS[options.kind](rows, options.dest, overwrite=options.overwrite, **chosen)))
    return 0


def import_standard(options: argparse.Namespace) -> int:
    """Import a standard dataset."""
    import penstock

    return _made(penstock.standard(options.name, options.dest, extra=options.extra))


def log(options: argparse.Namespace) -> int:
    """Print a dataset's commits."""
    say(str(load(options.path, read_only=True).log()))
    return 0


def query(options: argparse.Namespace) -> int:
    """Print the rows that a query selects."""
    view = load(options.path, read_only=True).query(options.text, seed=options.seed)
    shown = view[: options.rows]
    names = [
        name for name, tensor in view.tensors.items() if "image" not in tensor.htype and "mask" not in tensor.htype
    ]
    say(_printed(shown.pandas(names)))
    left = len(view) - len(shown)
    say(f"{len(view):,} rows" + (f", {left:,} more than shown" if left else ""))
    return 0


def verify(options: argparse.Namespace) -> int:
    """Read every sample; status 1 when one is broken."""
    report = load(options.path, read_only=True).verify()
    say(str(report))
    return 0 if report.ok else 1


def _dataset_at(path: str, images: str | None) -> str:
    """Return the path of a dataset; anything else is imported into the cache."""
    try:
        return str(load(path, read_only=True).path)
    except DatasetNotFoundError:
        if "://" in path:
            raise
    return str(_imported(recognize(Path(path), Path(images) if images else None)).path)


def _imported(source: Source) -> Dataset:
    from platformdirs import user_cache_path

    dest = user_cache_path("penstock") / "imports" / source.key / source.name
    say(escaped(str(source)))
    num_workers = os.cpu_count() or 1
    if not dest.exists():
        say(escaped(f"{_ahead(*source.size(), num_workers)} It is imported once, into {dest}"))
    dataset = load_or_make(dest, lambda: source.make(dest, on_error="skip", num_workers=num_workers))
    say(escaped(str(describe_import(dataset, source.kind))))
    return dataset


_SECONDS_A_FILE = 2.5e-3  # of one worker: measured with images of 7 and 100 KB on two busy cores
_SECONDS_A_BYTE = 6e-8


def _ahead(num_files: int, num_bytes: int, num_workers: int) -> str:
    """Return what an import has to read, and about how long that takes."""
    seconds = (num_files * _SECONDS_A_FILE + num_bytes * _SECONDS_A_BYTE) / num_workers
    files = f"{num_files:,} file{'' if num_files == 1 else 's'}"
    size = f"{num_bytes / 1e9:.1f} GB" if num_bytes >= 1e9 else f"{num_bytes / 1e6:.0f} MB"
    time = f"{seconds:.0f} seconds" if seconds < 100 else f"{seconds / 60:.0f} minutes"
    return f"{files}, {size}: about {time}." if seconds >= 1 else f"{files}, {size}."


def _made(dataset: Dataset, kind: str | None = None) -> int:
    if kind is not None:
        say(escaped(str(describe_import(dataset, kind))))
    say(escaped(f"{len(dataset):,} samples in {dataset.path}"))
    return 0


def _pairs(arguments: list[str], option: str) -> dict[str, str]:
    pairs = [argument.partition("=") for argument in arguments]
    wrong = next((argument for argument, (_, sign, _) in zip(arguments, pairs, strict=True) if not sign), None)
    if wrong is not None:
        raise ImporterError(f"{option} {wrong!r} is not valid. Expected two names separated by =")
    return {left: right for left, _, right in pairs}


def _printed(table: pd.DataFrame) -> str:
    shown = table.rename(columns=lambda name: escaped(str(name)))
    for number, kind in enumerate(shown.dtypes):
        if kind.kind not in "biufM":
            shown.isetitem(number, [_cell(value) for value in shown.iloc[:, number]])
    return str(shown.to_string(max_colwidth=_WIDEST_CELL))


def _cell(value: Any) -> Any:
    """Return a cell with its texts escaped."""
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, dict):
        return {_cell(key): _cell(held) for key, held in value.items()}
    return [_cell(held) for held in value] if isinstance(value, list | tuple) else value
