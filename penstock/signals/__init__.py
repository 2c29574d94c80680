"""Numbers per sample that training reports, and the runs that recorded them."""

from penstock.signals._aligned import KINDS, Kind
from penstock.signals._recorder import Recorder
from penstock.signals._run import Run
from penstock.signals._run_state import RunState
from penstock.signals._runs import Runs
from penstock.signals._writing import RunWriter

__all__ = ["KINDS", "Kind", "Recorder", "Run", "RunState", "RunWriter", "Runs"]
