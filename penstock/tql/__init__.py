"""The Tensor Query Language: text to rows and weights."""

from penstock.tql._functions import function
from penstock.tql._parser import parse
from penstock.tql._run import QueryResult, bind_sampling, parse_sampling, run

__all__ = ["QueryResult", "bind_sampling", "function", "parse", "parse_sampling", "run"]
