"""Runs as notebooks hold them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from src.findings import separability
from tests.support.tables import tables_of

TABLES = tables_of(np.random.default_rng(0).normal(size=(4, 2)))
NAMES = ["a", "a", "b", "b"]


def test_names_and_seeds_are_taken_as_notebooks_hold_them() -> None:
    expected = separability(TABLES, NAMES, [0, 1, 0, 1])
    for groups, seeds in (
        (pd.Series(NAMES), torch.tensor([0, 1, 0, 1])),
        (np.array(NAMES), pd.Series([0, 1, 0, 1])),
        (pd.Categorical(NAMES), (0, 1, 0, 1)),
    ):
        assert separability(tuple(TABLES), groups, seeds).keys() == expected.keys()  # type: ignore[arg-type]
    numbered = separability(TABLES, torch.tensor([0, 0, 1, 1]), [0, 1, 0, 1])  # type: ignore[arg-type]
    assert numbered["seed_accuracy"].value == expected["seed_accuracy"].value


@pytest.mark.parametrize(
    ("tables", "groups", "seeds", "message"),
    [
        ([], [], None, "tables is empty; give one long table a run"),
        (TABLES[0], NAMES, None, "tables is a DataFrame; give a list"),
        (dict(enumerate(TABLES)), NAMES, None, "tables is a dict; give a list"),
        ([TABLES[0], TABLES[1].iloc[:0]], NAMES[:2], None, r"tables\[1\] is empty"),
        (TABLES, "aabb", None, "groups is a str; give a list"),
        (TABLES, [None, *NAMES[1:]], None, r"groups\[0\]=None: give the name"),
        (TABLES, [0.5, *NAMES[1:]], None, r"groups\[0\]=0.5: give the name"),
        (TABLES, NAMES, 3, "seeds is a int; give a list"),
        (TABLES, NAMES, [0, 1, 0, None], r"seeds\[3\]=None: not a whole number"),
        (TABLES, NAMES[:3], None, "4 tables, 3 groups and 3 seeds"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_list_of_runs_is_refused(tables: object, groups: object, seeds: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        separability(tables, groups, seeds)  # type: ignore[arg-type]
