"""See, mend and weigh image data, and train on exactly what the chart promised."""

import lazy_loader as _lazy

__version__ = "0.1.0.dev0"

__getattr__, __dir__, _ = _lazy.attach(
    __name__,
    submodules=["batchup", "errors", "plots", "sampling", "tql"],
    submod_attrs={
        "errors": ["PenstockError"],
    },
)

__all__ = ["PenstockError", "__version__", "batchup", "errors", "plots", "sampling", "tql"]
