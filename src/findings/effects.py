"""The least effect that matters for each claim: only bounds that exclude it say that a claim does not hold.

That a claim is not called says nothing by itself: a short or noisy run calls none.
"""

from __future__ import annotations

from .claim import ClaimName

LEAST: dict[ClaimName, float] = {
    # Share of the blocks that moved beyond rounding: it takes none at all.
    "changed": 0.0,
    # The mean excess of random movement is known to be 1 within 0.9 to 1.1, so that early over late may be 1.2 where
    # nothing is; from 1.5 on the controls find nearly every planted change in a run that is as quiet as real ones.
    "early": 1.5,
    # In twenty velocities that scatter by 20 % without any course, some checkpoint is up to 1.4 x above the others.
    "peak": 1.5,
    # Share of the way from chance to certainty, of runs whose objective is recognised.
    "separable": 0.5,
    # Standard deviations over the runs: a quarter of all variance between runs is then between the twins.
    "twins": 1.0,
}


def excludes(name: ClaimName, high: float) -> bool:
    """Whether an upper bound lies below the least effect that matters; NaN excludes nothing."""
    return high <= LEAST[name]


def least_recognition(chance: float) -> float:
    """The share of runs that are recognised, from which on objectives are separable to an extent that matters."""
    return chance + LEAST["separable"] * (1 - chance)
