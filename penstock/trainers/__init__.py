"""Callbacks that let two trainers resume in the middle of an epoch.

The guide "Trainers" says what to write for each of them; the others need nothing from here.
"""

import lazy_loader as _lazy

__getattr__, __dir__, _ = _lazy.attach(
    __name__, submod_attrs={"_lightning": ["LightningResume"], "_mmengine": ["MMEngineResume"]}
)

__all__ = ["LightningResume", "MMEngineResume"]
