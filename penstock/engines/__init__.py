"""Where work runs: threads, processes, Ray."""

from penstock.engines._processes import Lease, lease_processes
from penstock.engines._worker import worker_number

__all__ = ["Lease", "lease_processes", "worker_number"]
