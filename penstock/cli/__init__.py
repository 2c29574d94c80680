"""The command line: explore, import, log, query, verify."""

from penstock.cli._main import main

__all__ = ["main"]
