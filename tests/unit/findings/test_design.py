"""Whether labels are permuted within seeds or freely, and why."""

from __future__ import annotations

import numpy as np
import pytest

from src.findings.design import choose_design

NAMES = ["helpful", "harmless"]


def test_a_balanced_design_is_permuted_within_seeds() -> None:
    design = choose_design(np.array([0, 0, 1, 1]), NAMES, [7, 3, 3, 7])
    assert design.within_seeds
    np.testing.assert_array_equal(design.blocks, [1, 0, 0, 1])
    assert design.words == "permuted within 2 seeds"
    assert design.needed(2, 0.05) == 6


@pytest.mark.parametrize(
    ("labels", "seeds", "reason", "needed"),
    [
        ([0, 0, 1, 1], None, "their seeds are not given", 4),
        ([0, 0, 1, 1], [0, 1, 2, 3], "no two of them have the same seed", 4),
        ([0, 0, 1], [0, 1, 0], "harmless has no run of seed 1", 6),
        ([0, 0, 1, 1, 1], [0, 1, 0, 1, 1], "harmless has 2 runs of seed 1", 6),
    ],
)
def test_any_other_is_permuted_freely_and_says_why(
    labels: list[int], seeds: list[int] | None, reason: str, needed: int
) -> None:
    design = choose_design(np.array(labels), NAMES, seeds)
    assert not design.within_seeds
    assert not design.blocks.any()
    assert design.words == f"permuted freely over {len(labels)} runs, because {reason}"
    assert design.needed(2, 0.05) == needed
