"""BatchUp's API on top of penstock: mini-batches of arrays, callables and composites.

Code for BatchUp runs once ``batchup`` is read as ``penstock.batchup``: `config`, `data_source`, `datasets`, `sampling`,
`work_pool`.
"""

import lazy_loader as _lazy

__all__ = ["config", "data_source", "datasets", "sampling", "work_pool"]

__getattr__, __dir__, _ = _lazy.attach(__name__, submodules=__all__)
