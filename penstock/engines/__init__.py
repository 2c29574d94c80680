"""Where work runs: threads, processes, Ray."""

from penstock.engines._processes import Lease, lease_processes
from penstock.engines._worker import WORKER_NUMBER

__all__ = ["WORKER_NUMBER", "Lease", "lease_processes"]
