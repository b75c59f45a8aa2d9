"""What must hold over many trials, and whether it does."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import binomtest

Results = Mapping[str, np.ndarray]
"""By name, one value a trial."""
REFUTED = 0.01


@dataclass(frozen=True)
class Answer:
    message: str
    holds: bool
    refuted: bool
    """Whether so many trials cannot be bad luck: what a short form of few trials can say."""


def at_most(results: Results, name: str, limit: float, message: str) -> Answer:
    return _rate(results[name], limit, f"{message}: {{:.1f}} % (at most {100 * limit:.0f})", "greater")


def at_least(results: Results, name: str, limit: float, message: str) -> Answer:
    return _rate(results[name], limit, f"{message}: {{:.1f}} % (at least {100 * limit:.0f})", "less")


def _rate(happened: np.ndarray, limit: float, message: str, wrong: Literal["greater", "less"]) -> Answer:
    count, trials = int(happened.sum()), len(happened)
    holds = count <= limit * trials if wrong == "greater" else count >= limit * trials
    refuted = binomtest(count, trials, limit, alternative=wrong).pvalue < REFUTED
    return Answer(message.format(100 * count / trials), bool(holds), bool(refuted))


def mean_within(values: np.ndarray, low: float, high: float, message: str) -> Answer:
    mean, error = float(values.mean()), 3 * float(values.std(ddof=1)) / math.sqrt(len(values))
    text = f"{message} {mean:.2f} " + (f"({low:g} to {high:g})" if low > 0 and high < math.inf else
                                    f"(above {low:g})" if low > 0 else f"(at most {high:g})")  # fmt: skip
    return Answer(text, low <= mean <= high, mean + error < low or mean - error > high)
