"""Where the values of one finding lie over several runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .finding import Finding


@dataclass(frozen=True)
class Spread:
    median: float
    lowest: float
    highest: float


def measure_spread(findings: Sequence[Finding]) -> Spread | None:
    """The median and the bounds of the finite values; None if there are none."""
    values = [finding.value for finding in findings if math.isfinite(finding.value)]
    return Spread(float(np.median(values)), min(values), max(values)) if values else None
