"""Tasks on a Ray cluster."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import uuid
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self

from penstock.engines._local import TRIES, died
from penstock.engines._messages import from_parts, public_parts
from penstock.engines._ray_worker import run_task
from penstock.errors import EngineError, MissingDependencyError

__all__ = ["RayEngine", "ray_module"]

_OLDEST = (2, 50)
_NAMED = ("auto",)  # addresses that Ray has names for
_ENDING = 60.0  # seconds for tasks that are canceled to end
_PATIENCE = 5.0  # seconds to wait for the cluster's machine to answer
_USAGE = "RAY_USAGE_STATS_ENABLED"


class RayEngine:
    """Tasks on a Ray cluster: ``engine=RayEngine("head:6379")``.

    Ray that is already connected is used and left as it is. Otherwise it is connected, or started on this machine,
    with the first task, and disconnected or ended by `close`, which leaving a ``with`` block does too.

    Every machine of the cluster needs penstock in the same version, and has to reach the dataset and its images at
    the same paths or URLs. Credentials are not sent: workers look them up by their key, in the environment
    (``PENSTOCK_CREDS_<key>``), a keyring or the store's own chain.

    Parameters
    ----------
    address : str, optional
        Of the cluster: ``"host:6379"``, or ``"auto"`` for the one on this machine. By default the one in
        ``RAY_ADDRESS``, else the one on this machine; without any, Ray is started.
    num_workers : int, optional
        Tasks at the same time; by default one for each CPU of the cluster.

    Raises
    ------
    EngineError
        If an argument is not valid. When tasks are run: if the cluster cannot be reached.
    MissingDependencyError
        When tasks are run: if Ray is not installed, or too old.
    """

    def __init__(self, address: str | None = None, *, num_workers: int | None = None) -> None:
        known = isinstance(address, str) and (address in _NAMED or _host_and_port(address) is not None)
        if address is not None and not known:
            raise EngineError(f"address={address!r} is not valid. Expected 'host:port' or 'auto'")
        whole = isinstance(num_workers, int) and not isinstance(num_workers, bool)
        if num_workers is not None and not (whole and num_workers > 0):
            raise EngineError(f"num_workers={num_workers!r} is not valid. Expected 1 or more, or None for every CPU")
        self.address = address
        self.num_workers = num_workers
        self._end = contextlib.ExitStack()
        weakref.finalize(self, self._end.close)

    def map(self, task: Callable[[Any], Any], items: Sequence[Any], *, num_workers: int = 0) -> Iterator[Any]:
        """Yield what the task returns for each item; see `Engine.map`."""
        if not len(items):
            return
        ray = self._connected()
        parts, key, version = ray.put(public_parts(task)), uuid.uuid4().hex, str(sys.modules["penstock"].__version__)
        run = ray.remote(num_cpus=1, max_retries=TRIES - 1)(run_task)
        ahead = 2 * (num_workers or self.num_workers or int(ray.cluster_resources().get("CPU", 1)) or 1)
        waiting: deque[tuple[Any, Any]] = deque()
        try:
            for item in items:
                waiting.append((item, run.remote(key, parts, item, version)))
                if len(waiting) >= ahead:
                    yield _result(ray, *waiting.popleft())
            while waiting:
                yield _result(ray, *waiting.popleft())
        finally:
            _end_tasks(ray, [reference for _, reference in waiting])

    def close(self) -> None:
        """Disconnect from the cluster, or end it, where this engine connected to it or started it."""
        self._end.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"RayEngine({'' if self.address is None else repr(self.address)})"

    # ---- the connection ------------------------------------------------------------------

    def _connected(self) -> Any:
        """Return ray, connected."""
        ray = ray_module()
        if ray.is_initialized():
            self._check_same(ray)
            return ray
        if self.address is not None:
            _check_reachable(self.address)
        with _plain_errors(self.address), _no_usage_statistics():
            ray.init(self.address, log_to_driver=False, logging_level="ERROR", **self._own_options())
        self._end.callback(ray.shutdown)
        return ray

    def _own_options(self) -> dict[str, Any]:
        return {} if self.address is not None else {"include_dashboard": False}

    def _check_same(self, ray: Any) -> None:
        """Refuse to take another cluster for the one that was named."""
        if self.address is None or self.address in _NAMED:
            return
        used = str(ray.get_runtime_context().gcs_address)
        if _numeric(used) != _numeric(self.address):
            raise EngineError(
                f"Ray is connected to {used!r} and not to {self.address!r}",
                hint="call ray.shutdown() first, or use RayEngine() to use the cluster that is connected",
            )


def ray_module() -> Any:
    """Return Ray, which is imported when it is first needed.

    Raises
    ------
    MissingDependencyError
        If it is not installed, or too old.
    """
    try:
        import ray
    except ImportError as error:
        raise MissingDependencyError("Ray is not installed", hint='pip install "penstock[ray]"') from error
    if tuple(int(part) for part in ray.__version__.split(".")[:2]) < _OLDEST:
        raise MissingDependencyError(
            f"Ray {ray.__version__} is installed. Expected 2.50 or newer", hint='pip install -U "penstock[ray]"'
        )
    return ray


def _host_and_port(address: str) -> tuple[str, int] | None:
    host, _, port = address.rpartition(":")
    return (host.strip("[]"), int(port)) if host and "/" not in host and port.isdecimal() else None


def _check_reachable(address: str) -> None:
    """Say at once that nobody answers; Ray itself tries for minutes."""
    place = _host_and_port(address)
    if place is None:
        return
    try:
        socket.create_connection(place, timeout=_PATIENCE).close()
    except (OSError, UnicodeError, OverflowError) as error:
        reason = "it does not respond" if isinstance(error, TimeoutError) else getattr(error, "strerror", None) or error
        raise EngineError(f"the Ray cluster at {address!r} cannot be reached: {str(reason).lower()}") from error


def _numeric(address: str) -> tuple[str, int] | str:
    place = _host_and_port(address)
    if place is None:
        return address
    with contextlib.suppress(OSError, UnicodeError):
        name = socket.gethostname() if place[0] in {"127.0.0.1", "localhost"} else place[0]
        return socket.gethostbyname(name), place[1]
    return place


@contextlib.contextmanager
def _plain_errors(address: str | None) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        what = "Ray cannot be started on this machine" if address is None else f"the Ray cluster at {address!r} refused"
        raise EngineError(f"{what}: {_first_line(error)}") from error


@contextlib.contextmanager
def _no_usage_statistics() -> Iterator[None]:
    """Let a Ray that is started here report nothing, unless the user has decided otherwise."""
    if _USAGE in os.environ:
        yield
        return
    os.environ[_USAGE] = "0"
    try:
        yield
    finally:
        del os.environ[_USAGE]


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _end_tasks(ray: Any, references: list[Any]) -> None:
    """End tasks that nobody waits for, and see them ended: one that still wrote would write into what is removed."""
    with contextlib.suppress(Exception):  # the cluster may be gone, and its tasks with it
        for reference in references:
            ray.cancel(reference)
        if references:
            ray.wait(references, num_returns=len(references), timeout=_ENDING, fetch_local=False)


def _result(ray: Any, item: Any, reference: Any) -> Any:
    """Return what a task returned, or raise what it raised."""
    try:
        done, parts = ray.get(reference)
    except (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError, ray.exceptions.NodeDiedError) as error:
        raise died(item) from error
    except ray.exceptions.RayTaskError as error:
        raise EngineError(
            f"a worker of Ray cannot run the task ({_first_line(getattr(error, 'cause', None) or error)})",
            hint="install penstock, and what your own functions import, on every machine of the cluster",
        ) from error
    except ray.exceptions.RayError as error:
        raise EngineError(f"the Ray cluster failed while it ran a task: {_first_line(error)}") from error
    result = from_parts(parts)
    if not done:
        raise result
    return result
