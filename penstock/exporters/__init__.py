"""Datasets and views as files that other tools read."""

from penstock.exporters._report import ExportReport
from penstock.exporters.coco._coco import to_coco
from penstock.exporters.yolo._yolo import to_yolo

__all__ = ["ExportReport", "to_coco", "to_yolo"]
