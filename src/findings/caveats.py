"""What a run cannot say, or not without a warning; read from its table alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ..metrics.derived import is_rounding, layers_below_floor
from ..metrics.second import split_table
from ..metrics.selection import layers_of, select, select_curve
from ..metrics.table import FLOOR_FACTOR, MAX_DISTANCE_CHANGE, MAX_DOMINANT_SHARE, NOT_FINITE
from .curves import MIN_COURSE, read_learning_rate, read_velocity
from .wording.caveats import (
    describe_dominant_coordinates,
    describe_few_late_checkpoints,
    describe_missing_null,
    describe_missing_subsamples,
    describe_no_pairs,
    describe_not_finite,
    describe_overlap,
    describe_rounding,
    describe_rounding_layers,
    describe_rounding_run,
    describe_short_course,
    describe_single_pairs,
    describe_unknown_correlation,
    describe_varied_rate,
)

MIN_LATE_CHECKPOINTS = 6
"""Checkpoints in the last half below which its median is rough."""


def find_caveats(table: pd.DataFrame, layer: str, dimensions: list[int]) -> list[str]:
    """Sentences, the gravest first."""
    measured = select(table, "velocity", layer=layer)
    if measured.empty:
        return [*_limits_of_activations(table), describe_no_pairs()]
    if is_rounding(table):
        return [describe_rounding_run(len(layers_below_floor(table)), len(layers_of(table)), FLOOR_FACTOR)]
    steps = np.array(sorted(set(measured.step)))
    return [
        *_limits_of_activations(table),
        *_limits_of_rounding(table, measured, layer, dimensions),
        *_limits_of_course(steps),
        *_limits_of_pairs(select(table, "velocity", layer=layer, part="pair"), steps),
        *_limits_of_chance(table[table.layer == layer], layer, dimensions),
        *_limits_of_null(select(table, "distance_change", layer=layer)),
        *_limits_of_coordinates(table),
        *_limits_of_sample(table),
        *_limits_of_rate(read_learning_rate(table, steps)),
    ]


def _limits_of_activations(table: pd.DataFrame) -> Iterator[str]:
    left_out = select(table, NOT_FINITE)
    if len(left_out):
        yield describe_not_finite(sorted(set(left_out.layer)), sorted(set(left_out.step)))


def _limits_of_course(steps: np.ndarray) -> Iterator[str]:
    if len(steps) < MIN_COURSE:
        yield describe_short_course(len(steps), MIN_COURSE)


def _limits_of_rounding(
    table: pd.DataFrame, measured: pd.DataFrame, layer: str, dimensions: list[int]
) -> Iterator[str]:
    rounded = layers_below_floor(table)
    if rounded:
        yield describe_rounding_layers(rounded, len(layers_of(table)), FLOOR_FACTOR)
    for k in dimensions:
        marks = select_curve(table, "below_floor", k, layer)
        slow = set(measured[(measured.dimension == k) & ~(measured.value > 0)].step) | set(marks[marks.value > 0].step)
        if slow:
            checkpoints = len(set(measured[measured.dimension == k].step))
            yield describe_rounding(k, len(slow), checkpoints, FLOOR_FACTOR)


def _limits_of_pairs(pairs: pd.DataFrame, steps: np.ndarray) -> Iterator[str]:
    if pairs.empty:
        return
    lag = int((pairs.pair_step - pairs.step).min())
    gaps = np.diff(steps)
    if len(gaps) and lag > gaps.min():
        yield describe_overlap(lag, gaps.min())
    if (pairs.groupby("step").pair_step.nunique() < 2).all():
        yield describe_single_pairs()
    late = (steps >= (steps[0] + steps[-1]) / 2).sum()
    if len(steps) >= MIN_COURSE and late < MIN_LATE_CHECKPOINTS:
        yield describe_few_late_checkpoints(late)


def _limits_of_chance(table: pd.DataFrame, layer: str, dimensions: list[int]) -> Iterator[str]:
    curves = (read_velocity(table, k, layer) for k in dimensions)
    if not any(len(values) > 1 for curve in curves for _, values in curve.runs):
        yield describe_unknown_correlation()


def _limits_of_null(change: pd.DataFrame) -> Iterator[str]:
    far = sorted(set(change[change.value >= MAX_DISTANCE_CHANGE].step))
    if far:
        yield describe_missing_null(far, MAX_DISTANCE_CHANGE)


def _limits_of_coordinates(table: pd.DataFrame) -> Iterator[str]:
    shares = select(table, "dominant_share").set_index("layer").value
    if len(shares) and shares.max() > MAX_DOMINANT_SHARE:
        measured_beside = len(split_table(table)[1]) > 0
        yield describe_dominant_coordinates(shares.max(), str(shares.idxmax()), measured_beside=measured_beside)


def _limits_of_sample(table: pd.DataFrame) -> Iterator[str]:
    if select(table, part="sample").empty:
        yield describe_missing_subsamples()


def _limits_of_rate(rate: np.ndarray | None) -> Iterator[str]:
    if rate is not None and rate.max() > 0 and np.ptp(rate) > 1e-6 * rate.max():
        yield describe_varied_rate(rate.min(), rate.max())
