"""Faults: does a run that is disturbed become the one that is not? `python -m tests.faults [trials=<for each>]`."""
