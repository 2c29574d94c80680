"""See, mend and weigh image data, and train on exactly what the chart promised."""

import lazy_loader as _lazy

__version__ = "0.1.0.dev0"

__getattr__, __dir__, _ = _lazy.attach(
    __name__,
    submodules=["batchup", "dataset", "errors", "plots", "sampling", "tql"],
    submod_attrs={
        "dataset": ["Dataset", "View", "empty", "load"],
        "errors": ["PenstockError"],
        "tensors": ["link"],
    },
)

__all__ = [
    "Dataset",
    "PenstockError",
    "View",
    "__version__",
    "batchup",
    "dataset",
    "empty",
    "errors",
    "link",
    "load",
    "plots",
    "sampling",
    "tql",
]
