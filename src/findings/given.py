"""Runs as notebooks hold them: their tables, and what each is called."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from ..arrays import read_integer
from ..metrics.table import read_table


def read_runs(
    tables: Any, groups: Any, seeds: Any = None
) -> tuple[Sequence[pd.DataFrame], Sequence[str], Sequence[int] | None]:  # fmt: skip
    """The tables of runs with their types, the name of each run's group, and its seed where seeds are given.

    Args:
        tables: lists or whatever holds them in an order, one long table a run.
        groups: of each run: words, or whole numbers, which become words.
        seeds: of each run; None: not given.

    Raises:
        ValueError: if one of the three is no list of that, or there is no table.
    """
    read = [read_table(table, f"tables[{number}]") for number, table in enumerate(_items(tables, "tables"))]
    if not read:
        raise ValueError("tables is empty; give one long table a run, of at least two groups")
    named = [_read_name(group, f"groups[{number}]") for number, group in enumerate(_items(groups, "groups"))]
    if seeds is None:
        return read, named, None
    return read, named, [read_integer(seed, f"seeds[{number}]") for number, seed in enumerate(_items(seeds, "seeds"))]


def _items(given: Any, name: str) -> list[Any]:
    # A frame, a dictionary and a word have items too, but not one a run.
    if isinstance(given, (pd.DataFrame, Mapping, str)) or not isinstance(given, Iterable):
        raise ValueError(f"{name} is a {type(given).__name__}; give a list with one item a run")
    return list(given)


def _read_name(given: Any, name: str) -> str:
    if isinstance(given, str):
        return str(given)
    try:
        return str(operator.index(given))
    except (TypeError, ValueError, RuntimeError) as error:  # torch has its own
        raise ValueError(f"{name}={given!r}: give the name of the run's group") from error
