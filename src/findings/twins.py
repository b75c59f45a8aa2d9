"""A pretrained model against its instruct twin, pair by pair of runs with the same objective and seed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from ..statistics import ALPHA
from ..statistics.intervals import quantile
from ..statistics.permutations import flip_signs, pairs_needed
from .finding import Finding, GroupFindings
from .trajectory import DIMENSIONS, Tracked, read_shape, shared_logs, trajectories
from .wording.trajectory import DIFFERENT_RUNS
from .wording.twins import (
    describe_alike_twins,
    describe_certainty,
    describe_difference,
    describe_duplicate,
    describe_few_pairs,
    describe_ratio,
    describe_twin_trajectories,
    name_missing_pairs,
)

Pair = tuple[Tracked, Tracked]
"""The pretrained run, the instruct run."""
SCALARS = {"peak_ratio": "log", "excess_early": "log", "early_share": "plain"}
"""Findings of one run that are compared, and where their differences are taken."""


def compare_twins(runs: Sequence[Tracked]) -> GroupFindings:
    """Whether a pretrained model's shape changes otherwise than its instruct twin's under the same fine-tuning.

    Runs are paired by objective and seed; under chance alone the two of a pair could change places. For the whole
    trajectory the statistic is the norm of the mean difference within pairs, the distance between the two models'
    centroids in the space that `separability` works in: it needs no direction chosen beforehand, and grows only if
    pairs differ alike. Pairs of one seed share their adapter and data order and are not wholly independent.

    Args:
        runs: of any models; compared are those of a pretrained and an instruct model of which one names the other.

    Returns:
        By name and "<pretrained> / <instruct>": `twins_p` and `twins_distance` of the trajectories (in standard
        deviations over the runs, root mean square over its numbers), and, with intervals, `twins_<finding>_H<k>` and
        `twins_drift_H<k>` of single numbers, with p adjusted for how many they are. Too few pairs: `twins_p` is NaN and
        says how many are needed.

    Raises:
        ValueError: if two runs have the same model, objective and seed, or the runs of a pair share no step.
    """
    return {
        (name, f"{first} / {second}"): finding
        for first, second in twin_models(runs)
        for name, finding in compare_pairs(runs, first, second).items()
    }


def twin_models(runs: Sequence[Tracked]) -> list[tuple[str, str]]:
    """The pretrained and instruct models among the runs of which one names the other its twin."""
    named = {(run.model, run.twin) for run in runs} | {(run.twin, run.model) for run in runs}
    first = {run.model for run in runs if run.stage == "pretrained"}
    second = {run.model for run in runs if run.stage == "instruct"}
    return sorted((a, b) for a in first for b in second if (a, b) in named)


def compare_pairs(runs: Sequence[Tracked], first: str, second: str) -> dict[str, Finding]:
    """The findings of `compare_twins` for one pretrained model and its instruct twin."""
    pairs, needed = _pair(runs, first, second), pairs_needed()
    if len(pairs) < needed:
        sentence = describe_few_pairs(first, second, len(pairs), needed)
        return {"twins_p": Finding(math.nan, sentence=sentence, missing=name_missing_pairs(len(pairs), needed))}
    return _compare_trajectories(pairs, first, second) | _compare_numbers(pairs, first, second)


def _pair(runs: Sequence[Tracked], first: str, second: str) -> list[Pair]:
    by_place: dict[tuple[str, str, int], Tracked] = {}
    for run in runs:
        other = by_place.setdefault((run.model, run.objective, run.seed), run)
        if other is not run:
            raise ValueError(describe_duplicate((other.name, run.name), run.model, run.objective, run.seed))
    places = sorted((objective, seed) for model, objective, seed in by_place if model == first)
    return [
        (by_place[(first, *place)], by_place[(second, *place)]) for place in places if (second, *place) in by_place
    ]  # fmt: skip


def _tables(pairs: Sequence[Pair]) -> list[pd.DataFrame]:
    """Of all pretrained runs, then of all instruct runs."""
    return [pair[side].shape for side in (0, 1) for pair in pairs]


def _differences(values: np.ndarray) -> np.ndarray:
    """Instruct less pretrained, from values in the order of `_tables`."""
    half = len(values) // 2
    return np.asarray(values[half:] - values[:half])


def _flip(differences: np.ndarray) -> tuple[float, int]:
    """p of the norm of the mean difference, (n, F), over all sign flips of the pairs, and how many these are."""
    signs = flip_signs(len(differences))
    gram = differences @ differences.T
    norms = ((signs @ gram) * signs).sum(axis=1)
    observed = float(gram.sum())
    return float((norms >= observed - 1e-9 * np.trace(gram)).mean()), len(signs)


def _compare_trajectories(pairs: Sequence[Pair], first: str, second: str) -> dict[str, Finding]:
    points, steps = trajectories(_tables(pairs))
    if not points.shape[1]:
        return {"twins_p": Finding(math.nan, sentence=describe_alike_twins(first, second), missing=DIFFERENT_RUNS)}
    differences = _differences(points)
    p, flips = _flip(differences)
    distance, low, high = _measure_distance(differences)
    sentence = describe_twin_trajectories(
        first, second, differ=p < ALPHA, distance=distance, steps=len(steps), p=p, flips=flips, pairs=len(pairs)
    )
    return {
        "twins_p": Finding(p, called=p < ALPHA, sentence=sentence),
        "twins_distance": Finding(distance, low, high, sentence=sentence),
    }


def _measure_distance(differences: np.ndarray) -> tuple[float, float, float]:
    """Root mean square over the numbers of the mean difference, (n, F), and 95 % bounds: its square, by the jackknife.

    The square of noise alone is above 0: on the safe side for the upper bound, taken off for the lower one.
    """
    pairs, numbers = differences.shape
    gram = differences @ differences.T / numbers
    square = float(gram.sum()) / pairs**2
    without = (gram.sum() - 2 * gram.sum(axis=1) + np.diagonal(gram)) / (pairs - 1) ** 2
    error = math.sqrt((pairs - 1) / pairs * float(((without - without.mean()) ** 2).sum()))
    unbiased = float(gram.sum() - np.trace(gram)) / (pairs * (pairs - 1))
    low, high = max(0.0, unbiased - quantile(pairs) * error), square + quantile(pairs) * error
    return math.sqrt(max(0.0, square)), math.sqrt(low), math.sqrt(high)


def _compare_numbers(pairs: Sequence[Pair], first: str, second: str) -> dict[str, Finding]:
    """Single numbers of the runs; those that too few pairs have are left out."""
    values = {name: column for name, column in _read_numbers(pairs).items() if len(column) >= pairs_needed()}
    if not values:
        return {}
    adjusted = false_discovery_control([_flip(column[:, None])[0] for column in values.values()])
    found = {}
    for (name, column), p in zip(values.items(), adjusted, strict=True):
        center, width = float(column.mean()), quantile(len(column)) * float(column.std(ddof=1)) / math.sqrt(len(column))
        value, low, high = center, center - width, center + width
        number = name.rpartition("_")[0]
        if SCALARS.get(number) == "plain":
            sentence = describe_difference(name, first, second, value)
        else:
            value, low, high = math.exp(value), math.exp(low), math.exp(high)
            sentence = describe_ratio(name, first, second, value)
        sentence += describe_certainty(low, high, pairs=len(column), p=p, numbers=len(values))
        found[f"twins_{name}"] = Finding(value, low, high, called=bool(p < ALPHA), sentence=sentence)
    return found


def _read_numbers(pairs: Sequence[Pair]) -> Mapping[str, np.ndarray]:
    """Differences within pairs, on the scale of each number, where both runs have it."""
    tables = _tables(pairs)
    findings = [pair[side].findings for side in (0, 1) for pair in pairs]
    logs = shared_logs([read_shape(table) for table in tables])
    differences = {}
    for k in DIMENSIONS:
        for name, scale in SCALARS.items():
            values = np.array([found[name, k].value if (name, k) in found else math.nan for found in findings])
            differences[f"{name}_H{k}"] = _differences(np.log(values) if scale == "log" else values)
        drifts = logs.loc[:, (logs.columns.get_level_values(0) == "drift") & (logs.columns.get_level_values(1) == k)]
        if len(drifts.columns):
            differences[f"drift_H{k}"] = _differences(drifts.to_numpy()[:, -1])
    return {name: column[np.isfinite(column)] for name, column in differences.items()}
