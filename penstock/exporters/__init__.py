"""Datasets and views as files that other tools read."""

from penstock.exporters._folder import to_folder
from penstock.exporters._report import ExportReport
from penstock.exporters.coco._coco import to_coco
from penstock.exporters.tables._csv import to_csv
from penstock.exporters.tables._huggingface import to_huggingface
from penstock.exporters.voc._voc import to_voc
from penstock.exporters.yolo._yolo import to_yolo

__all__ = ["ExportReport", "to_coco", "to_csv", "to_folder", "to_huggingface", "to_voc", "to_yolo"]
