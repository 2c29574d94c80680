"""Consecutive rows of a dataset's table, read by themselves."""
