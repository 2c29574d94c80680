"""BatchUp's names over the layers below: mini-batches of arrays, callables and composites.

Code for BatchUp runs once ``batchup`` is read as ``penstock.batchup``: `data_source`, `sampling`, `work_pool`.
"""

import lazy_loader as _lazy

__getattr__, __dir__, _ = _lazy.attach(__name__, submodules=["data_source", "sampling", "work_pool"])

__all__ = ["data_source", "sampling", "work_pool"]
