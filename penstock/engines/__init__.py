"""Where work runs: threads, worker processes, a Ray cluster."""

from penstock.engines._engine import Engine, EngineOption, check_num_workers, engine_of
from penstock.engines._local import ProcessEngine, ThreadEngine
from penstock.engines._processes import Lease, lease_processes
from penstock.engines._ray import RayEngine, ray_module
from penstock.engines._threads import Job, Threads
from penstock.engines._worker import worker_number

__all__ = [
    "Engine",
    "EngineOption",
    "Job",
    "Lease",
    "ProcessEngine",
    "RayEngine",
    "ThreadEngine",
    "Threads",
    "check_num_workers",
    "engine_of",
    "lease_processes",
    "ray_module",
    "worker_number",
]
