"""Can runs be told apart by the group that they belong to? PERMANOVA, PERMDISP, leave-one-seed-out."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from ..statistics import ALPHA, CONFIDENCE
from ..statistics.permanova import Outcome, center, permanova, permdisp
from ..statistics.permutations import count_arrangements, count_members
from .design import Design, choose_design
from .finding import Finding
from .given import read_runs
from .trajectory import TINY, read_shape, shared_logs, trajectories
from .wording.groups import (
    TWO_GROUPS,
    describe_alike_seeds,
    describe_confounding_spread,
    describe_dispersion,
    describe_few_arrangements,
    describe_pseudo_f,
    describe_r2,
    describe_seed_accuracy,
    describe_separability,
    describe_single_group,
    describe_unequal_lengths,
    describe_uneven_seeds,
    describe_unknown_spread,
    describe_untested,
    name_missing_runs,
)
from .wording.trajectory import DIFFERENT_RUNS, describe_alike_runs

MIN_RUNS_FOR_SPREAD = 3
"""Runs a group below which spread cannot be compared: two are equally far from their middle, whatever they are."""


def separability(
    tables: Sequence[pd.DataFrame], groups: Sequence[str], seeds: Sequence[int] | None = None
) -> dict[str, Finding]:  # fmt: skip
    """Whether the trajectories of runs differ between groups by more than within them.

    Where every seed has exactly one run of each group, each seed's mean is taken out and labels are permuted within
    seeds: runs of a seed share the order of data and the adapter's start. Else labels are permuted freely.

    Args:
        tables: long form, as in `topology.parquet` or from `src.measure.track`, one a run, all over the same probes.
        groups: of each run, such as its objective.
        seeds: of each run; by default they are not known to be shared, and a run is left out with those of the same
            number within their groups.

    Returns:
        `separability_p`, `separability_f`, `separability_r2` (PERMANOVA), `dispersion_p`, `dispersion_f` (PERMDISP),
        `seed_accuracy`, `seed_accuracy_chance` (nearest centroid, each seed left out in turn). What the runs are too
        few for is left out; `separability_p` is always there, then with the value NaN and what is missing in words.

    Raises:
        ValueError: if the arguments are no such lists, have unequal lengths, or the runs share no step.
    """
    tables, groups, seeds = read_runs(tables, groups, seeds)
    groups = list(groups)
    numbers = list(seeds) if seeds is not None else [groups[:n].count(group) for n, group in enumerate(groups)]
    if not len(tables) == len(groups) == len(numbers):
        raise ValueError(describe_unequal_lengths(len(tables), len(groups), len(numbers)))
    names = sorted(set(groups))
    if len(names) < 2:
        return _report_untested(describe_single_group(names, len(groups)), TWO_GROUPS)
    order = sorted(range(len(groups)), key=lambda place: (groups[place], numbers[place]))
    tables = [tables[place] for place in order]
    labels = np.array([names.index(groups[place]) for place in order])
    points, steps = trajectories(tables)
    if not points.shape[1]:
        return _report_untested(describe_alike_runs(), DIFFERENT_RUNS)
    run_seeds = [numbers[place] for place in order]
    design = choose_design(labels, names, run_seeds if seeds is not None else None)
    return _test(points, labels, names, len(steps), design) | _classify_seeds(
        tables, labels, np.array(run_seeds), names
    )


def _report_untested(reason: str, missing: str) -> dict[str, Finding]:
    return {"separability_p": Finding(math.nan, sentence=describe_untested(reason), missing=missing)}


def _test(points: np.ndarray, labels: np.ndarray, names: list[str], steps: int, design: Design) -> dict[str, Finding]:
    if np.abs(center(points, design.blocks)).max() < TINY:
        return _report_untested(describe_alike_seeds(), DIFFERENT_RUNS)
    sizes = np.bincount(labels).tolist()
    arrangements = count_arrangements(count_members(labels, design.blocks))
    if 1 / arrangements >= ALPHA:
        needed = design.needed(len(names), ALPHA)
        sentence = describe_few_arrangements(
            names, sizes, arrangements, design.words, shared_seeds=design.shared_seeds,
            needed=needed, needed_for_1_percent=design.needed(len(names), ALPHA / 5),
        )  # fmt: skip
        return _report_untested(sentence, name_missing_runs(needed, shared_seeds=design.shared_seeds))
    place = permanova(points, labels, design.blocks)
    spread = permdisp(points, labels, design.blocks) if min(sizes) >= MIN_RUNS_FOR_SPREAD else None
    found = _report_places(place, spread, names, len(labels), steps, design)
    if spread is not None:
        sentence = describe_dispersion(spread, spread.p < ALPHA, names)
        found["dispersion_p"] = Finding(spread.p, called=spread.p < ALPHA, sentence=sentence)
        found["dispersion_f"] = Finding(spread.f, sentence=sentence)
    return found


def _report_places(
    place: Outcome, spread: Outcome | None, names: list[str], runs: int, steps: int, design: Design
) -> dict[str, Finding]:  # fmt: skip
    called = place.p < ALPHA
    sentence = describe_separability(
        place, called, names, runs, steps, design.words, within_seeds=design.within_seeds
    )  # fmt: skip
    if design.shared_seeds and not design.within_seeds:
        sentence += " " + describe_uneven_seeds()
    if spread is None:
        sentence += " " + describe_unknown_spread(MIN_RUNS_FOR_SPREAD)
    elif spread.p < ALPHA:
        sentence += " " + describe_confounding_spread(spread, called)
    return {
        "separability_p": Finding(place.p, called=called, sentence=sentence),
        "separability_f": Finding(place.f, sentence=describe_pseudo_f(place, names)),
        "separability_r2": Finding(place.r2, sentence=describe_r2(place, names, within_seeds=design.within_seeds)),
    }


def _classify_seeds(
    tables: Sequence[pd.DataFrame], labels: np.ndarray, seeds: np.ndarray, names: list[str]
) -> dict[str, Finding]:  # fmt: skip
    """How often the nearest centroid of the other seeds' runs is that of the group that a run belongs to."""
    if any(len(set(seeds[labels == group])) < 2 for group in range(len(names))):
        return {}
    from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
    from sklearn.neighbors import NearestCentroid
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    # Scaled by the runs that are learned from alone: the left-out ones must not leak into their yardstick.
    nearest = make_pipeline(StandardScaler(), NearestCentroid())
    logs = shared_logs([read_shape(table) for table in tables]).to_numpy()
    with np.errstate(invalid="ignore", divide="ignore"):  # a scatter of one run a group, which is not used
        predicted = cross_val_predict(nearest, logs, labels, groups=seeds, cv=LeaveOneGroupOut())
    right, chance = int((predicted == labels).sum()), 1 / len(names)
    bounds = binomtest(right, len(labels)).proportion_ci(CONFIDENCE)
    sentence = describe_seed_accuracy(right, len(labels), chance, names)
    return {
        "seed_accuracy": Finding(right / len(labels), bounds.low, bounds.high, sentence=sentence),
        "seed_accuracy_chance": Finding(chance, sentence=sentence),
    }
