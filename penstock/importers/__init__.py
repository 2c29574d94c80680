"""Datasets out of COCO, VOC, YOLO, folders, tables and arrays."""

__all__: list[str] = []
