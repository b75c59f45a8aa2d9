"""The sentence about whether anything changed."""

from __future__ import annotations

from ...system.words import count_of


def describe_changed(
    changed: int, total: int, steps: tuple[int, int], level: float, factor: float | None, rounded: int
) -> str:
    """In how many blocks the activations changed.

    Args:
        steps: the first and the last, which are compared.
        level: of the test.
        factor: times the rounding floor that a change has to exceed; None where no floor was measured.
        rounded: blocks that the test calls but that moved less.
    """
    first, last = steps
    beyond = f"and more than {factor} x the rounding floor" if factor else "no rounding floor was measured"
    but = f" In {rounded} of the others the movement is within {factor} x the floor." if rounded else ""
    return (
        f"The activations changed in {changed} of {count_of(total, 'block')} between step {first} and step {last} "
        f"(paired permutation test, p < {level:g} after Benjamini-Hochberg{',' if factor else ';'} {beyond}).{but}"
    )
