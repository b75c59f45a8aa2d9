"""Can runs be told apart by the group that they belong to? PERMANOVA, PERMDISP, leave-one-seed-out."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..statistics.permanova import Outcome, permanova, permdisp
from ..statistics.permutations import ALPHA, count_arrangements, seeds_needed
from .finding import Finding
from .trajectory import read_shape, shared_logs, trajectories

SPREAD_NEEDS = 3
"""Runs a group without which spread cannot be told: two are equally far from their middle, whatever they are."""


def separability(
    tables: Sequence[pd.DataFrame], groups: Sequence[str], seeds: Sequence[int] | None = None
) -> dict[str, Finding]:  # fmt: skip
    """Whether the trajectories of runs differ between groups by more than within them.

    Args:
        tables: long form, as in `topology.parquet` or from `src.measure.track`, one a run, all over the same probes.
        groups: of each run, such as its objective.
        seeds: of each run; by default its number within its group.

    Returns:
        `separability_p`, `separability_f`, `separability_r2` (PERMANOVA), `dispersion_p`, `dispersion_f` (PERMDISP),
        `seed_accuracy`, `seed_accuracy_chance` (nearest centroid, each seed left out in turn). What the runs are too
        few for is left out; `separability_p` is always there, then with the value NaN and what is missing in words.

    Raises:
        ValueError: if the arguments have unequal lengths, or the runs share no step.
    """
    groups = list(groups)
    numbers = list(seeds) if seeds is not None else [groups[:n].count(group) for n, group in enumerate(groups)]
    if not len(tables) == len(groups) == len(numbers):
        raise ValueError(
            f"{len(tables)} tables, {len(groups)} groups and {len(numbers)} seeds: give one group and one seed a table"
        )
    names = sorted(set(groups))
    if len(names) < 2:
        return _untold(f"All {len(groups)} runs belong to {_join(names)}: two groups are needed.")
    order = sorted(range(len(groups)), key=lambda place: (groups[place], numbers[place]))
    tables = [tables[place] for place in order]
    labels = np.array([names.index(groups[place]) for place in order])
    points, steps = trajectories(tables)
    if not points.shape[1]:
        return _untold("The runs do not differ in anything that all of them have.")
    left_out = np.array([numbers[place] for place in order])
    return _test(points, labels, names, len(steps)) | _tell_seeds(tables, labels, left_out, names)


def _untold(reason: str) -> dict[str, Finding]:
    sentence = f"Whether the trajectories are separable is not tested. {reason}"
    return {"separability_p": Finding(math.nan, sentence=sentence)}


def _test(points: np.ndarray, labels: np.ndarray, names: list[str], steps: int) -> dict[str, Finding]:
    sizes = np.bincount(labels).tolist()
    ways = count_arrangements(sizes)
    if 1 / ways >= ALPHA:
        least, better = seeds_needed(len(names)), seeds_needed(len(names), ALPHA / 5)
        return _untold(
            f"{_join(names)} have {_join(sizes)} runs, which can be divided in {ways} ways, too few for a test at 5 %: "
            f"{least} seeds each are needed for that{f', and {better} to reach 1 %' if better > least else ''}."
        )
    spread = permdisp(points, labels) if min(sizes) >= SPREAD_NEEDS else None
    found = _tell_places(
        permanova(points, labels), spread, names, f"{len(labels)} runs over {steps} shared checkpoints"
    )
    if spread is not None:
        differ = "differ beyond chance" if spread.p < ALPHA else "do not differ beyond chance"
        sentence = (
            f"The spreads of {_join(names)} about their middles {differ} (PERMDISP F = {spread.f:.2f}, "
            f"p = {spread.p:.2g}); with few runs a group the test is rough."
        )
        found["dispersion_p"] = Finding(spread.p, called=spread.p < ALPHA, sentence=sentence)
        found["dispersion_f"] = Finding(spread.f, sentence=sentence)
    return found


def _tell_places(place: Outcome, spread: Outcome | None, names: list[str], what: str) -> dict[str, Finding]:
    groups, called = _join(names), place.p < ALPHA
    sentence = (
        f"The trajectories of {groups} are {'' if called else 'not '}separable: the groups make up "
        f"{100 * place.r2:.0f} % of the differences between {what} (PERMANOVA F = {place.f:.2f}, p = {place.p:.2g} "
        f"over {place.arrangements:,} arrangements)."
    )
    if spread is None:
        sentence += f" Whether they only spread differently is unknown: that takes {SPREAD_NEEDS} runs a group."
    elif spread.p < ALPHA:
        beside = (
            "PERMANOVA may be seeing that, not another place" if called else "another place is hard to see beside that"
        )
        sentence += f" But the groups spread differently (PERMDISP p = {spread.p:.2g}): {beside}."
    return {
        "separability_p": Finding(place.p, called=called, sentence=sentence),
        "separability_f": Finding(
            place.f, sentence=f"The pseudo-F of {groups} is {place.f:.2f}; about 1 is usual for groups that are alike."
        ),
        "separability_r2": Finding(
            place.r2, sentence=f"The division into {groups} makes up {100 * place.r2:.0f} % of the squared distances "
            f"between trajectories; {100 * place.r2_expected:.0f} % is usual for any division.",
        ),
    }  # fmt: skip


def _tell_seeds(
    tables: Sequence[pd.DataFrame], labels: np.ndarray, seeds: np.ndarray, names: list[str]
) -> dict[str, Finding]:  # fmt: skip
    """How often the nearest centroid of the other seeds' runs is that of the own group."""
    if any(len(set(seeds[labels == group])) < 2 for group in range(len(names))):
        return {}
    from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
    from sklearn.neighbors import NearestCentroid
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    # Scaled by the runs that are learned from alone: the left-out ones must not leak into their own yardstick.
    nearest = make_pipeline(StandardScaler(), NearestCentroid())
    logs = shared_logs([read_shape(table) for table in tables]).to_numpy()
    reported = cross_val_predict(nearest, logs, labels, groups=seeds, cv=LeaveOneGroupOut())
    right = int((reported == labels).sum())
    share, chance = right / len(labels), 1 / len(names)
    sentence = (
        f"The nearest centroid of the other seeds' runs tells {_join(names)} in {right} of {len(labels)} runs "
        f"({100 * share:.0f} %; {100 * chance:.0f} % by chance)."
    )
    return {
        "seed_accuracy": Finding(share, sentence=sentence),
        "seed_accuracy_chance": Finding(chance, sentence=sentence),
    }


def _join(words: Sequence[object]) -> str:
    texts = list(map(str, words))
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)
