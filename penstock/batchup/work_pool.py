"""Worker pools: batches prefetched by threads or processes.

`WorkerThreadPool` and `WorkerProcessPool` have `parallel_data_source`, whose batches are prefetched, and
`work_stream`, which does any tasks ahead.
"""

from penstock.batchup.workers._parallel import ParallelDataSource
from penstock.batchup.workers._pools import AbstractWorkerPool, SharedConstant, WorkerProcessPool, WorkerThreadPool
from penstock.batchup.workers._work_stream import WorkStream

__all__ = [
    "AbstractWorkerPool",
    "ParallelDataSource",
    "SharedConstant",
    "WorkStream",
    "WorkerProcessPool",
    "WorkerThreadPool",
]
