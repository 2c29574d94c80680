"""One protocol for work on the parts of a dataset: in threads, in processes, on a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, runtime_checkable

from penstock._wording import nearest
from penstock.engines._local import ProcessEngine, ThreadEngine
from penstock.engines._ray import RayEngine
from penstock.errors import EngineError

__all__ = ["Engine", "EngineOption", "check_num_workers", "engine_of"]

_NAMED: dict[str, type[ThreadEngine | ProcessEngine | RayEngine]] = {
    "threads": ThreadEngine,
    "processes": ProcessEngine,
    "ray": RayEngine,
}


@runtime_checkable
class Engine(Protocol):
    """Where the tasks of a long operation run; what they return does not depend on it.

    A task is a plain function of one item, such as a range of rows. It may be run twice, after a worker died: what
    it writes goes to files of its own, which nobody sees before its caller names them.
    """

    def map(self, task: Callable[[Any], Any], items: Sequence[Any], *, num_workers: int = 0) -> Iterator[Any]:
        """Yield what the task returns for each item, in the order of the items.

        Parameters
        ----------
        task : callable
            Sent to each worker once.
        items : sequence
            Small ones: each is sent to one worker.
        num_workers : int
            Tasks at the same time; 0 leaves it to the engine.

        Raises
        ------
        Exception
            What the task raised, for the first item for which it did.
        EngineError
            If workers die again and again, or cannot be reached.
        """
        ...


EngineOption = Engine | str | None
"""What users pass as ``engine=``."""


@contextmanager
def engine_of(engine: EngineOption) -> Iterator[Engine]:
    """Yield the engine of an option; one that is named only is closed again.

    Parameters
    ----------
    engine : Engine, {"threads", "processes", "ray"} or None
        None is this process and its threads.

    Raises
    ------
    EngineError
        If there is no such engine.
    """
    if engine is None:
        engine = "threads"
    if isinstance(engine, Engine) and not isinstance(engine, type):
        yield engine
        return
    made = _NAMED.get(engine) if isinstance(engine, str) else None
    if made is None:
        like = nearest(engine, _NAMED) if isinstance(engine, str) else None
        raise EngineError(
            f"engine={engine!r} is not valid. Expected 'threads', 'processes', 'ray' or a RayEngine",
            hint=f"did you mean {like!r}?" if like else None,
        )
    with made() as own:
        yield own


def check_num_workers(num_workers: int) -> None:
    """Refuse a number of workers that is none.

    Raises
    ------
    EngineError
        If it is not a whole number of 0 or more.
    """
    if isinstance(num_workers, bool) or not isinstance(num_workers, int) or num_workers < 0:
        raise EngineError(f"num_workers={num_workers!r} is not valid. Expected 0 or more workers")
