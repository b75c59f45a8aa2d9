"""The sentence about a second metric."""

from __future__ import annotations

from collections.abc import Mapping

from ...config import SECOND_METRIC
from ...metrics.table import SECOND


def describe_second_metric(quantity: str, means: Mapping[int, tuple[float, float]]) -> str:
    """Means of a quantity by both metrics, by homology dimension: (first, second)."""
    compared = "; ".join(f"H{k} {second:.3g} instead of {first:.3g}" for k, (first, second) in means.items())
    return (
        f"Measured beside with {SECOND_METRIC} distances (`{SECOND}...`), the mean {quantity} over the checkpoints "
        f"is: {compared}."
    )
