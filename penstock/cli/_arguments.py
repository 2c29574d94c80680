"""The arguments of the command `penstock`."""

from __future__ import annotations

import argparse
from typing import NoReturn

from penstock import __version__
from penstock._wording import escaped
from penstock.cli import _commands

__all__ = ["build_parser"]

_MOST = 2**31

_IMAGES = "copy the images, or write links to their files; default: {}"
_EXPORTS = (
    ("csv", "a table of labels, numbers and texts", "the .csv file to write"),
    ("folder", "a folder of images for each class", "the folder to write"),
    ("coco", "COCO instances", "the .json file to write, or a folder for annotations and images"),
    ("voc", "Pascal VOC", "the folder to write, with annotations, lists of images, masks and images"),
    ("yolo", "YOLO", "the folder to write, with label files, data.yaml and images"),
)
_ROOTED = (
    ("voc", "Pascal VOC", "a Pascal VOC folder, such as VOC2012"),
    ("yolo", "YOLO", "a YOLO folder: data.yaml, images and label files"),
    ("folder", "a folder of images per class", "a folder that contains a folder of images for each class"),
)
_EXAMPLES = """examples:
  penstock explore                                    the demo dataset
  penstock explore coco/annotations/instances.json    COCO; images are looked up next to the file
  penstock explore photos/                            VOC, YOLO, or a folder of images per class
  penstock import standard mnist mnist.penstock       a standard dataset, downloaded when missing
  penstock import auto download/ --dry-run            show what a folder contains, and what is ignored
  penstock import table labels.csv chest.penstock --labels "findings=Finding Labels"
  penstock export coco coco.penstock fixed.json       the annotations, with what was edited
  penstock query chest.penstock "select * where contains(findings, 'Hernia') limit 10"
"""


class _Parser(argparse.ArgumentParser):
    """A parser whose messages are safe to print."""

    def error(self, message: str) -> NoReturn:
        super().error(escaped(message))


def _count(text: str) -> int:
    """Return an integer that is not negative."""
    try:
        number = int(text)
    except ValueError:
        number = -1
    if not 0 <= number < _MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is not valid. Expected an integer, 0 or greater")
    return number


def build_parser() -> argparse.ArgumentParser:
    """Return the parser; each command sets `command` to the function that runs it."""
    parser: argparse.ArgumentParser = _Parser(
        prog="penstock",
        description="See, label and weigh image data, and train on exactly what the chart showed.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"penstock {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_explore(commands)
    _add_import(commands)
    _add_export(commands)
    _add_readers(commands)
    return parser


def _add_explore(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    explore = commands.add_parser(
        "explore",
        help="open the Explorer in JupyterLab",
        description="Open JupyterLab with the Explorer running on a dataset. "
        "Annotations and image folders are first imported "
        "into a cache folder. Parts that cannot be read are skipped and reported. Press Ctrl-C to stop.",
    )
    explore.add_argument(
        "path",
        nargs="?",
        metavar="PATH",
        help="a penstock dataset, COCO annotations (.json), a COCO, VOC, YOLO or image folder; default: the demo",
    )
    explore.add_argument("--images", metavar="FOLDER", help="folder of the images that COCO annotations name")
    explore.add_argument("--folder", default=".", metavar="FOLDER", help="folder of the notebook; default: here")
    explore.add_argument("--port", type=_count, default=0, metavar="N", help="port of JupyterLab; default: a free one")
    explore.add_argument("--no-browser", action="store_true", help="print the address and open no browser")
    explore.set_defaults(command=_commands.explore)


def _add_import(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "import",
        help="create a dataset from annotations and images",
        description="Create a dataset from annotations and images. `penstock import KIND --help` lists the options.",
    )
    kinds = parser.add_subparsers(title="sources", required=True, metavar="KIND")
    _add_auto(kinds)
    coco = kinds.add_parser("coco", help="COCO instances", description="Create a dataset from COCO instances.")
    coco.add_argument("annotations", metavar="ANNOTATIONS", help="the JSON file; may be compressed with gzip")
    coco.add_argument("images", metavar="IMAGES", help="the folder of the images")
    _add_reading(coco)
    coco.add_argument("--link", action="store_true", help="link to the images instead of copying them")
    coco.set_defaults(command=_commands.import_coco)
    for kind, what, contents in _ROOTED:
        rooted = kinds.add_parser(kind, help=what, description=f"Create a dataset from {contents}.")
        rooted.add_argument("root", metavar="ROOT", help="the folder to import")
        if kind != "folder":
            rooted.add_argument("--split", help="import only this split")
            _add_reading(rooted)
            if kind == "yolo":
                _add_task(rooted, "what the label lines contain; default: decided by the YAML file and the lines")
        else:
            rooted.add_argument(
                "--splits",
                metavar="NAMES",
                help="names of the folders that are splits, separated by commas; '' for none; "
                "default: train, val, test and the like",
            )
        rooted.set_defaults(command=_commands.import_rooted, kind=kind)
    _add_table(kinds)
    for source in kinds.choices.values():
        is_auto = source is kinds.choices["auto"]
        source.add_argument(
            "dest", nargs="?" if is_auto else None, metavar="DEST", help="where to create the dataset; must not exist"
        )
        source.add_argument(
            "--on-error",
            choices=("raise", "skip"),
            default="raise",
            help="stop at an error, or skip the sample; default: raise",
        )
        source.add_argument(
            "--num-workers", type=_count, default=0, metavar="N", help="number of threads that read images"
        )
    _add_standard(kinds)


def _add_auto(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    auto = kinds.add_parser(
        "auto",
        help="COCO, VOC, YOLO or an image folder, detected automatically",
        description="Create a dataset from a file or folder whose format is detected.",
    )
    auto.add_argument("path", metavar="PATH", help="annotations (.json, .yaml) or a folder")
    auto.add_argument("--images", metavar="FOLDER", help="folder of the images that COCO annotations name")
    auto.add_argument("--dry-run", action="store_true", help="print what would be imported and write nothing")
    auto.set_defaults(command=_commands.import_auto)


def _add_standard(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    standard = kinds.add_parser(
        "standard",
        help="MNIST, CIFAR-10 and others; downloaded when missing",
        description="Create a standard dataset. Its files are downloaded when missing, and checked.",
    )
    standard.add_argument("name", metavar="NAME", help="cifar10, cifar100, fashion-mnist, mnist, stl10, svhn or usps")
    standard.add_argument(
        "dest", nargs="?", metavar="DEST", help="where to create the dataset; must not exist; default: the data folder"
    )
    standard.add_argument("--extra", action="store_true", help="include the extra images of stl10 or svhn")
    standard.set_defaults(command=_commands.import_standard)


def _add_reading(source: argparse.ArgumentParser) -> None:
    source.add_argument(
        "--roots",
        action="append",
        default=[],
        metavar="FOLDER",
        help="another folder that links to images may lead into; can be repeated",
    )
    source.add_argument(
        "--exif",
        choices=("auto", "upright", "stored"),
        default="auto",
        help="what boxes refer to if EXIF rotates an image: the displayed image or the stored pixels",
    )


def _add_table(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    table = kinds.add_parser(
        "table",
        help="a CSV file with multi-label cells",
        description="Create a dataset from a CSV file. A cell may have several labels.",
    )
    table.add_argument("table", metavar="CSV", help="the file; may be compressed")
    table.add_argument(
        "--labels",
        action="append",
        default=[],
        metavar="TENSOR=COLUMN",
        help="a class label tensor and its column; can be repeated",
    )
    table.add_argument("--images", metavar="COLUMN", help="column of image file names")
    table.add_argument("--image-root", metavar="FOLDER", help="folder to search for the images")
    table.add_argument("--separator", default="|", help="separator between labels in a cell; default: |")
    table.add_argument(
        "--rename", action="append", default=[], metavar="OLD=NEW", help="rename a class; can be repeated"
    )
    table.add_argument("--named-only", action="store_true", help="import only the columns that other options name")
    table.set_defaults(command=_commands.import_table)


def _add_export(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "export",
        help="write annotations for other tools",
        description="Write the annotations of a dataset. `penstock export FORMAT --help` lists the options.",
    )
    kinds = parser.add_subparsers(title="formats", required=True, metavar="FORMAT")
    for kind, what, place in _EXPORTS:
        export = kinds.add_parser(kind, help=what, description=f"Write a dataset as {what}.")
        export.add_argument("path", metavar="DATASET", help="the dataset")
        export.add_argument("dest", metavar="DEST", help=place)
        export.add_argument("--query", metavar="TQL", help="export only the rows that this query selects")
        if kind != "csv":
            export.add_argument(
                "--images", choices=("copy", "link"), help=_IMAGES.format("copy" if kind == "folder" else "neither")
            )
        export.add_argument("--overwrite", action="store_true", help="replace DEST if it exists")
        if kind == "yolo":
            _add_task(export, "what the label lines contain; default: as imported, else the most that the dataset has")
        export.set_defaults(command=_commands.export, kind=kind)


def _add_task(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("--task", choices=("detect", "segment", "pose", "obb", "classify"), help=what)


def _add_readers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    log = commands.add_parser(
        "log", help="list a dataset's commits", description="List the commits of a dataset, newest first."
    )
    query = commands.add_parser(
        "query", help="print the rows a TQL query selects", description="Print the rows that a TQL query selects."
    )
    verify = commands.add_parser(
        "verify",
        help="read every sample and list the broken ones",
        description="Read every sample and list the broken ones. The exit status is 1 if there are any.",
    )
    for parser, command in ((log, _commands.log), (query, _commands.query), (verify, _commands.verify)):
        parser.add_argument("path", metavar="PATH", help="the dataset")
        parser.set_defaults(command=command)
    query.add_argument("text", metavar="TQL", help="the query")
    query.add_argument(
        "--rows", type=_count, default=20, metavar="N", help="maximum number of rows to print; default: 20"
    )
    query.add_argument("--seed", type=int, default=0, metavar="N", help="seed of SAMPLE BY; default: 0")
