"""Sentences about what a run cannot say, or not without a warning."""

from __future__ import annotations

from collections.abc import Sequence

from ...metrics.table import SECOND
from ...system.words import count_of, plural
from .lists import join_first

MAX_LISTED = 5


def describe_no_pairs() -> str:
    """That no velocity was measured."""
    return "No checkpoint has a pair one lag later: velocity, excess and their course cannot be stated."


def describe_short_course(checkpoints: int, needed: int) -> str:
    """That there are too few checkpoints for a course over training."""
    return (
        f"{count_of(checkpoints, 'checkpoint')} with pairs: no statement about the course over training; at least "
        f"{needed} are needed, 20 are usual."
    )


def describe_not_finite(layers: Sequence[str], steps: Sequence[int]) -> str:
    """That blocks were left out at some checkpoints."""
    return (
        f"Activations of {join_first(layers, MAX_LISTED)} were not finite around {plural(len(steps), 'checkpoint')} "
        f"{join_first(steps, MAX_LISTED)}: these blocks are left out there, and the mean is over the others."
    )


REMEDY = (
    "raise schedule.lag (schedule.lag=auto finds the shortest that will do), or read the probes more finely "
    "(probe.precision=auto)"
)


def describe_rounding(k: int, lost: int, checkpoints: int, floor_factor: int) -> str:
    """That some velocities are below the rounding floor."""
    return (
        f"H{k}: {lost} of {count_of(checkpoints, 'checkpoint')} moved less than {floor_factor} x the rounding floor, "
        f"or not at all, and are left out: {REMEDY}."
    )


def describe_rounding_layers(rounded: Sequence[str], layers: int, floor_factor: int) -> str:
    """That the mean leaves out some layers."""
    return (
        f"The mean leaves out {join_first(rounded, MAX_LISTED)} of {count_of(layers, 'block')}: at most of their "
        f"checkpoints the velocity is below {floor_factor} x what rounding alone gives."
    )


def describe_rounding_run(rounded: int, layers: int, floor_factor: int) -> str:
    """That a run says nothing because its velocities are rounding."""
    return (
        f"These velocities are rounding: in {rounded} of {count_of(layers, 'block')} most of them are below "
        f"{floor_factor} x what the arithmetic of the capture gives by itself. No finding is made of this run; "
        f"{REMEDY}."
    )


def describe_overlap(lag: int, gap: int) -> str:
    """That the movements of neighbouring checkpoints overlap."""
    return (
        f"The lag of {lag} steps is longer than the gap between some checkpoints ({gap}): velocities there overlap and "
        "are no independent evidence."
    )


def describe_single_pairs() -> str:
    """That the noise of single steps was not measured."""
    return "One pair a checkpoint (schedule.repeats=1): the noise of single steps is unknown."


def describe_few_late_checkpoints(checkpoints: int) -> str:
    """That the late level hangs on few checkpoints."""
    lie = "lies" if checkpoints == 1 else "lie"
    return f"Only {count_of(checkpoints, 'checkpoint')} with pairs {lie} in the last half: its median is rough."


def describe_missing_null(steps: Sequence[int], limit: float) -> str:
    """That the points moved too far at some steps; `limit` as a share of the distances."""
    return (
        f"The distances changed by {100 * limit:g} % or more at steps {join_first(steps, MAX_LISTED)}: too far "
        "for a null, so that excess is not defined there; lower schedule.lag or trainer.learning_rate."
    )


def describe_dominant_coordinates(share: float, layer: str, *, measured_beside: bool) -> str:
    """That two coordinates hide the others, and where the others show."""
    remedy = (
        f"read what was measured beside (`{SECOND}...`)" if measured_beside
        else "measure the clouds again with tda.metric=standardized"
    )  # fmt: skip
    return (
        f"Two coordinates carry up to {100 * share:.0f} % of the squared distances in {layer}: structure in the others "
        f"hardly shows; {remedy}."
    )


def describe_missing_subsamples() -> str:
    """That nothing has an interval."""
    return "No subsamples (tda.subsamples=0): no intervals, and nothing can be called a peak."


def describe_varied_rate(lowest: float, highest: float) -> str:
    """That the learning rate changed from checkpoint to checkpoint."""
    return (
        f"The learning rate was not constant ({lowest:.2g} to {highest:.2g} at the checkpoints): velocity follows it. "
        "Only excess, and what stays after division, is about shape."
    )


def describe_unknown_correlation() -> str:
    """That nothing tells how alike neighbouring steps are."""
    return (
        "No two pairs follow each other, and it is unknown how alike neighbouring steps are: peaks and declines are "
        "called only where hardly any likeness could make them (schedule.dense_windows gives such pairs)."
    )
