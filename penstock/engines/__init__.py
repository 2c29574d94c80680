"""Threads and worker processes that run work."""

from penstock.engines._processes import Lease, lease_processes
from penstock.engines._threads import Job, Threads
from penstock.engines._worker import worker_number

__all__ = ["Job", "Lease", "Threads", "lease_processes", "worker_number"]
