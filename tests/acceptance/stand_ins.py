"""Modules that the documents import and the tests do without: pyplot that keeps what it is given, a little torchvision."""

from __future__ import annotations

import random
from types import ModuleType
from typing import Any

import numpy as np
import pytest


class Pyplot(ModuleType):
    """A `matplotlib.pyplot` whose functions draw nothing; `calls` has their names and arguments."""

    def __init__(self) -> None:
        super().__init__("matplotlib.pyplot")
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args, **kwargs: self.calls.append((name, args, kwargs))


def install(patch: pytest.MonkeyPatch, modules: dict[str, ModuleType]) -> None:
    """Let code import modules, each an attribute of the one it is in."""
    for name, module in modules.items():
        patch.setitem(__import__("sys").modules, name, module)
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(modules[parent], child, module)


def matplotlib() -> dict[str, ModuleType]:
    """Return matplotlib with its pyplot."""
    return {"matplotlib": ModuleType("matplotlib"), "matplotlib.pyplot": Pyplot()}


def torchvision() -> dict[str, ModuleType]:
    """Return torchvision with three transforms of a Pillow image, and a detector of two layers."""
    names = ("", ".transforms", ".models", ".models.detection", ".models.detection.faster_rcnn")
    modules = {f"torchvision{name}": ModuleType(f"torchvision{name}") for name in names}
    for transform in (Compose, RandomRotation, ToTensor, Normalize):
        setattr(modules["torchvision.transforms"], transform.__name__, transform)
    predictor, detector = _detector()
    modules["torchvision.models.detection"].fasterrcnn_resnet50_fpn = detector
    modules["torchvision.models.detection.faster_rcnn"].FastRCNNPredictor = predictor
    return modules


class Compose:
    def __init__(self, transforms):
        self.transforms = transforms

    def __call__(self, image):
        for transform in self.transforms:
            image = transform(image)
        return image


class RandomRotation:
    def __init__(self, degrees):
        self.degrees = degrees

    def __call__(self, image):
        return image.rotate(random.uniform(-self.degrees, self.degrees))


class ToTensor:
    def __call__(self, image):
        import torch

        pixels = np.atleast_3d(np.asarray(image))
        return torch.from_numpy(pixels.transpose(2, 0, 1).astype(np.float32) / 255)


class Normalize:
    def __init__(self, mean, std):
        self.mean, self.std = mean, std

    def __call__(self, image):
        import torch

        return (image - torch.tensor(self.mean)[:, None, None]) / torch.tensor(self.std)[:, None, None]


def _detector():
    import torch
    from torch import nn

    class FastRCNNPredictor(nn.Module):
        def __init__(self, in_features, num_classes):
            super().__init__()
            self.cls_score = nn.Linear(in_features, num_classes)
            self.bbox_pred = nn.Linear(in_features, 4)

    class Detector(nn.Module):
        """Tells which classes are in an image, and their mean box."""

        def __init__(self, pretrained):
            super().__init__()
            self.backbone = nn.Sequential(nn.Conv2d(3, 8, 5, 4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
            self.roi_heads = nn.Module()
            self.roi_heads.box_predictor = FastRCNNPredictor(8, 91)

        def forward(self, images, targets):
            features = self.backbone(torch.stack(images))
            scores = self.roi_heads.box_predictor.cls_score(features)
            truth = torch.zeros_like(scores)
            for row, target in enumerate(targets):
                truth[row, target["labels"]] = 1
            boxes = [target["boxes"].float().sum(0) / max(1, len(target["boxes"])) / 128 for target in targets]
            found = self.roi_heads.box_predictor.bbox_pred(features)
            return {
                "loss_classifier": nn.functional.binary_cross_entropy_with_logits(scores, truth),
                "loss_box_reg": nn.functional.smooth_l1_loss(found, torch.stack(boxes)),
            }

    return FastRCNNPredictor, Detector
