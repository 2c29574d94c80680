"""Another process that works on a dataset, told what to do one line at a time."""

from __future__ import annotations

import ast
import signal
import subprocess
import sys
from typing import Any

LOOP = """
import sys
import penstock
known = {"penstock": penstock}
print(repr("ready"), flush=True)
for line in sys.stdin:
    try:
        try:
            answer = eval(eval(line), known)
        except SyntaxError:
            answer = exec(eval(line), known)
        print(repr(answer), flush=True)
    except Exception as error:
        print(repr((type(error).__name__, str(error))), flush=True)
"""


class Peer:
    """A process of its own with a Python of its own."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", LOOP], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.answer() == "ready"

    @property
    def pid(self) -> int:
        return self.process.pid

    def __call__(self, code: str) -> Any:
        """Run a line; return its value, or the name and text of its error."""
        self.send(code)
        return self.answer()

    def send(self, code: str) -> None:
        """Run a line, without waiting for its end."""
        assert self.process.stdin is not None
        self.process.stdin.write(repr(code) + "\n")
        self.process.stdin.flush()

    def answer(self) -> Any:
        """Wait for the answer to what was sent."""
        assert self.process.stdout is not None
        return ast.literal_eval(self.process.stdout.readline())

    def kill(self) -> None:
        """End it at once, as the system does when memory runs out."""
        self.process.send_signal(signal.SIGKILL)
        self.end()

    def end(self) -> None:
        """Let it run to its end."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()
