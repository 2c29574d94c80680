"""BatchUp's names over the layers below: mini-batches of arrays, callables and composites."""

import lazy_loader as _lazy

__getattr__, __dir__, _ = _lazy.attach(__name__, submodules=["config", "datasets"])

__all__ = ["config", "datasets"]
