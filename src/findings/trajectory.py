"""A run as one point: its trajectory, how the logarithms of drift and velocity went over training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from ..metrics.derived import drop_rounding
from ..metrics.selection import overall_layer, select
from .finding import RunFindings
from .run import run_findings
from .wording.trajectory import describe_disjoint_steps, describe_missing_shape

SHAPE = ("drift", "velocity")
DIMENSIONS = (0, 1)
TINY = 1e-9
"""Relative spread below which runs differ by rounding alone."""


class IncomparableError(ValueError):
    """Runs that have nothing in common to be compared by."""


@dataclass(frozen=True)
class Tracked:
    """One run and what was measured of it."""

    name: str
    model: str
    stage: str
    """pretrained or instruct"""
    twin: str | None
    """the same model at the other stage"""
    objective: str
    seed: int
    table: pd.DataFrame
    """long form, as in `topology.parquet`"""

    @cached_property
    def findings(self) -> RunFindings:
        """What happened in this run alone."""
        return run_findings(self.table)

    @cached_property
    def shape(self) -> pd.DataFrame:
        """The rows of `table` that its trajectory is read from, a hundredth of it: runs are compared in many ways."""
        own = self.table[self.table.layer == overall_layer(self.table)]
        rows = select(own[own.dimension.isin(DIMENSIONS)], (*SHAPE, "below_floor"), part=None)
        return self.table if rows.empty else rows  # the whole says better what is missing


def trajectories(tables: Sequence[pd.DataFrame]) -> tuple[np.ndarray, np.ndarray]:
    """The trajectories of runs, to be compared by their Euclidean distances.

    Args:
        tables: long form, one a run, all over the same probes.

    Returns:
        (R, F) log drift and log velocity of H0 and H1, mean over the layers, at the shared steps, each column z-scored
        over these runs, and the shared steps. Left out is a column that some run lacks, has at 0 (drift at step 0) or
        below the rounding floor, and one in which the runs do not differ.

    Raises:
        IncomparableError: a ValueError, if no step is measured in all runs.
    """
    wide = [read_shape(table) for table in tables]
    steps = _shared_steps(wide)
    return standardize(shared_logs(wide)), steps


def read_shape(table: pd.DataFrame) -> pd.DataFrame:
    """Drift and velocity of a run as `read_wide` gives them, without velocities below the rounding floor."""
    layer = overall_layer(table)
    own = table[table.layer == layer]  # a small part, of which all else is asked
    return read_wide(drop_rounding(own[own.dimension.isin(DIMENSIONS)]), SHAPE, layer)


def read_wide(table: pd.DataFrame, quantities: Sequence[str], layer: str) -> pd.DataFrame:
    """Values by sample (-1: all probes) and by (quantity, dimension, step), a checkpoint's pairs averaged."""
    rows = pd.concat([select(table, quantities, layer=layer, part=part) for part in ("checkpoint", "sample")])
    return rows.pivot_table(index="sample", columns=["quantity", "dimension", "step"], values="value")


def shared_logs(wide: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """(R, F) logarithms of what all runs have on all probes, above 0, and do not have alike; F may be 0."""
    values = shared_values(wide)
    above = values.loc[:, (values > 0).all()]
    return pd.DataFrame(np.log(above.to_numpy()), columns=above.columns)


def shared_values(wide: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """(R, F) what all runs have on all probes, finite, and do not have alike."""
    values = pd.concat([one.reindex([-1]) for one in wide], join="inner", ignore_index=True).sort_index(axis=1)
    array = values.to_numpy()
    varied = np.ptp(array, axis=0) > TINY * np.abs(array).max(axis=0)  # and not NaN anywhere
    return values.loc[:, varied & np.isfinite(array).all(axis=0)]


def standardize(values: pd.DataFrame) -> np.ndarray:
    """Each column less its mean over the runs, in units of its standard deviation over them."""
    return ((values - values.mean()) / values.std(ddof=0)).to_numpy()


def _shared_steps(wide: Sequence[pd.DataFrame]) -> np.ndarray:
    steps = [set(one.columns.get_level_values("step")) for one in wide]
    shared = set.intersection(*steps) if steps else set()
    if shared:
        return np.array(sorted(shared))
    without = [number for number, run_steps in enumerate(steps, start=1) if not run_steps]
    if without:
        raise IncomparableError(describe_missing_shape(without, len(steps)))
    raise IncomparableError(describe_disjoint_steps([sorted(run_steps) for run_steps in steps]))
