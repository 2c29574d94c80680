"""Datasets out of COCO, VOC, YOLO, folders, tables and arrays."""

from penstock.importers._arrays import from_arrays
from penstock.importers._build import import_report, load_or_make
from penstock.importers._coco import find_coco_images, from_coco, is_coco
from penstock.importers._deeplake import from_deeplake
from penstock.importers._demo import demo
from penstock.importers._files import holds_images
from penstock.importers._folder import from_folder
from penstock.importers._huggingface import from_huggingface
from penstock.importers._report import ImportIssue, ImportReport
from penstock.importers._table import from_table
from penstock.importers._voc import from_voc, is_voc
from penstock.importers._yolo import from_yolo, is_yolo

__all__ = [
    "ImportIssue",
    "ImportReport",
    "demo",
    "find_coco_images",
    "from_arrays",
    "from_coco",
    "from_deeplake",
    "from_folder",
    "from_huggingface",
    "from_table",
    "from_voc",
    "from_yolo",
    "holds_images",
    "import_report",
    "is_coco",
    "is_voc",
    "is_yolo",
    "load_or_make",
]
