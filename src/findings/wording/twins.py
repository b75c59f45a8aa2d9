"""Sentences about a pretrained model and its instruct twin."""

from __future__ import annotations

from collections.abc import Sequence


def describe_no_twins(models: Sequence[str]) -> str:
    """That no two of the models are twins."""
    return f"None of {', '.join(models)} is the instruct twin of another: pretrained and instruct are not compared."


def describe_few_pairs(first: str, second: str, pairs: int, needed: int) -> str:
    """That there are too few pairs of runs for a test."""
    return f"{first} and {second} are not compared: a test at 5 % takes {name_missing_pairs(pairs, needed)}."


def name_missing_pairs(pairs: int, needed: int) -> str:
    """What a test of twins takes, to stand after "missing"."""
    return f"{needed} pairs of runs with the same objective and seed ({pairs} found)"


def describe_duplicate(names: tuple[str, str], model: str, objective: str, seed: int) -> str:
    """That two runs have the same place in the grid."""
    return (
        f"runs {names[0]} and {names[1]} are both {model}, {objective}, seed {seed}: pairs are not unique; compare one "
        "of them"
    )


def describe_alike_twins(first: str, second: str) -> str:
    """That there is nothing to compare two models by."""
    return f"{first} and {second} do not differ in anything that all of their runs have."


def describe_twin_trajectories(
    first: str, second: str, *, differ: bool, distance: float, steps: int, p: float, flips: int, pairs: int
) -> str:
    """Whether the trajectories of two models differ, how far and how certainly."""
    return (
        f"{second}'s trajectories {'differ' if differ else 'do not differ beyond chance'} from {first}'s under the "
        f"same fine-tuning: mean difference {distance:.2f} standard deviations over {steps} shared checkpoints, "
        f"p = {p:.2g} over {flips:,} sign flips within {pairs} pairs. That holds for this pair of models; it is no "
        "statement about instruction tuning."
    )


def describe_difference(name: str, first: str, second: str, value: float) -> str:
    """How far a number of one model is from that of the other; `describe_certainty` ends the sentence."""
    return f"{name} of {second} is {value:+.3f} from that of {first}"


def describe_ratio(name: str, first: str, second: str, value: float) -> str:
    """What multiple a number of one model is of that of the other; `describe_certainty` ends the sentence."""
    return f"{name} of {second} is {value:.2f} x that of {first}"


def describe_certainty(low: float, high: float, *, pairs: int, p: float, numbers: int) -> str:
    """The end of a sentence about one number: its bounds and its p."""
    return f" (95 %: {low:.3g} to {high:.3g}, {pairs} pairs; p = {p:.2g}, adjusted for {numbers} numbers)."
