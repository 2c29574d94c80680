"""Datasets out of COCO, VOC, YOLO, folders, tables and arrays."""

from penstock.importers._demo import demo
from penstock.importers._folder import from_folder
from penstock.importers._recognize import Recognized, Source, recognize
from penstock.importers.building._build import import_report
from penstock.importers.building._report import ImportIssue, ImportReport
from penstock.importers.coco._coco import from_coco
from penstock.importers.columns._arrays import from_arrays
from penstock.importers.columns._deeplake import from_deeplake
from penstock.importers.columns._huggingface import from_huggingface
from penstock.importers.columns._table import from_table
from penstock.importers.voc._voc import from_voc
from penstock.importers.yolo._yolo import from_yolo

__all__ = [
    "ImportIssue",
    "ImportReport",
    "Recognized",
    "Source",
    "demo",
    "from_arrays",
    "from_coco",
    "from_deeplake",
    "from_folder",
    "from_huggingface",
    "from_table",
    "from_voc",
    "from_yolo",
    "import_report",
    "recognize",
]
