"""Sentences about groups of runs, and whether these can be told apart."""

from __future__ import annotations

from collections.abc import Sequence

from ...statistics.permanova import Outcome
from ...system.words import count_of
from .lists import join_all

TWO_GROUPS = "two groups to tell apart"
"""What a test takes, to stand after "missing"."""


def name_group(sentence: str, group: str) -> str:
    """A sentence that says which runs it is about."""
    return f"{group}: {sentence}"


def describe_unequal_lengths(tables: int, groups: int, seeds: int) -> str:
    """That the arguments do not belong together."""
    return f"{tables} tables, {groups} groups and {seeds} seeds: give one group and one seed a table"


def describe_untested(reason: str) -> str:
    """That separability is not tested, and why."""
    return f"Whether the trajectories are separable is not tested. {reason}"


def describe_single_group(names: Sequence[str], runs: int) -> str:
    """That there are no two groups."""
    these = "The only run belongs" if runs == 1 else f"All {runs} runs belong"
    return f"{these} to {join_all(names)}: two groups are needed."


def name_missing_runs(needed: int, *, shared_seeds: bool) -> str:
    """What a test takes, to stand after "missing"."""
    return count_of(needed, "seed") + " with one run of each" if shared_seeds else f"{count_of(needed, 'run')} of each"


def describe_few_arrangements(
    names: Sequence[str], sizes: Sequence[int], arrangements: int, design: str, *, needed: int,
    needed_for_1_percent: int, shared_seeds: bool,
) -> str:  # fmt: skip
    """That the groups are too small for a test, and how large they would have to be."""
    better = f", and {needed_for_1_percent} to reach 1 %" if needed_for_1_percent > needed else ""
    return (
        f"{join_all(names)} have {join_all(sizes)} runs. {design[0].upper()}{design[1:]}, the labels have "
        f"{count_of(arrangements, 'arrangement')}, so that the smallest possible p is "
        f"{1 / arrangements:.2g}: a test at 5 % takes {name_missing_runs(needed, shared_seeds=shared_seeds)}{better}."
    )


def describe_separability(
    place: Outcome, called: bool, names: Sequence[str], runs: int, steps: int, design: str, *, within_seeds: bool
) -> str:  # fmt: skip
    """Whether groups lie in different places, by PERMANOVA."""
    left = ", less what the runs of a seed have in common," if within_seeds else ""
    return (
        f"The trajectories of {join_all(names)} are {'' if called else 'not '}separable: the groups make up "
        f"{100 * place.r2:.0f} % of the differences between {runs} runs{left} over {steps} shared checkpoints "
        f"(PERMANOVA F = {place.f:.2f}, p = {place.p:.2g} over {place.arrangements:,} arrangements, {design}; the "
        f"smallest possible p is {1 / place.arrangements:.2g})."
    )


def describe_uneven_seeds() -> str:
    """What free permutation costs where runs share seeds."""
    return "Differences between seeds count as noise here: one run of each group for every seed would take them out."


def describe_alike_seeds() -> str:
    """That there is nothing to compare groups by within seeds."""
    return "The runs of a seed do not differ in anything that all runs have."


def describe_unknown_spread(needed: int) -> str:
    """That the groups are too small to tell whether they spread differently."""
    return f"Whether they only spread differently is unknown: that takes {needed} runs a group."


def describe_confounding_spread(spread: Outcome, separable: bool) -> str:
    """What a difference in spread makes of the test of places."""
    consequence = (
        "PERMANOVA may be seeing that, not another place" if separable else "another place is hard to see beside that"
    )
    return f"But the groups spread differently (PERMDISP p = {spread.p:.2g}): {consequence}."


def describe_pseudo_f(place: Outcome, names: Sequence[str]) -> str:
    """The statistic of PERMANOVA and what to expect of it."""
    return f"The pseudo-F of {join_all(names)} is {place.f:.2f}; about 1 is usual for groups that are alike."


def describe_r2(place: Outcome, names: Sequence[str], *, within_seeds: bool) -> str:
    """The share of the differences that lies between the groups and what to expect of it."""
    compared = "trajectories of one seed" if within_seeds else "trajectories"
    return (
        f"The division into {join_all(names)} makes up {100 * place.r2:.0f} % of the squared distances between "
        f"{compared}; {100 * place.r2_expected:.0f} % is usual for any division."
    )


def describe_dispersion(spread: Outcome, called: bool, names: Sequence[str]) -> str:
    """Whether groups spread differently, by PERMDISP."""
    verdict = "differ beyond chance" if called else "do not differ beyond chance"
    return (
        f"The spreads of {join_all(names)} about their middles {verdict} (PERMDISP F = {spread.f:.2f}, "
        f"p = {spread.p:.2g}); with few runs a group the test is rough."
    )


def describe_seed_accuracy(right: int, runs: int, chance: float, names: Sequence[str]) -> str:
    """In how many runs the group is recognised from the runs of other seeds."""
    return (
        f"The nearest centroid of the other seeds' runs tells {join_all(names)} in {right} of {runs} runs "
        f"({100 * (right / runs):.0f} %; {100 * chance:.0f} % by chance)."
    )
