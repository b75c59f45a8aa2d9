"""What a run was measured once more with a second metric: rows under the same names, its prefix in front of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import pandas as pd

from .table import SECOND, Row


def as_second(rows: Iterable[Row]) -> Iterator[Row]:
    """Rows of a measurement, called as those of the second metric."""
    return (replace(row, quantity=SECOND + row.quantity) for row in rows)


def split_rows(rows: Iterable[Row]) -> tuple[list[Row], list[Row]]:
    """The rows of the first metric and those of the second, both without prefix."""
    first: list[Row] = []
    second: list[Row] = []
    for row in rows:
        bare = row.quantity.removeprefix(SECOND)
        (first if bare == row.quantity else second).append(replace(row, quantity=bare))
    return first, second


def split_table(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table of the first metric and that of the second, both without prefix; the second may be empty."""
    # Few names are on many rows.
    names = [name for name in table.quantity.unique() if name.startswith(SECOND)]
    is_second = table.quantity.isin(names)
    second = table[is_second]
    return table[~is_second], second.assign(quantity=second.quantity.str.removeprefix(SECOND))


def derive_for_each(derive: Callable[[pd.DataFrame], pd.DataFrame], table: pd.DataFrame) -> pd.DataFrame:
    """The table with what `derive` makes of the rows of each metric by themselves."""
    first, second = split_table(table)
    if second.empty:
        return derive(table)
    second = derive(second)
    return pd.concat([derive(first), second.assign(quantity=SECOND + second.quantity)], ignore_index=True)
