"""What a claim about fine-tuning is, and what a verdict on it holds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import pandas as pd

from ..metrics.derived import drop_rounding, is_rounding
from ..metrics.selection import overall_layer, select
from .finding import RunFindings

ClaimName = Literal["changed", "early", "peak", "separable", "twins"]
"""Whether the activations changed at all, then the four claims of arXiv 2606.19542."""
Verdict = Literal["holds", "does not hold", "cannot be told", "is rounding"]


@dataclass(frozen=True)
class Claim:
    """The verdict on one claim for one model, one pair of twins, or one run."""

    name: ClaimName
    group: str
    """the model, the pair ("<pretrained> / <instruct>"), or empty for a run alone"""
    models: tuple[str, ...]
    """that it is about"""
    verdict: Verdict
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    """95 % bounds; NaN where there are none"""
    runs: str = ""
    """in how many runs, or in which homology dimensions of a run, the claim holds"""
    number: str = ""
    """the value with its bounds, as it is read"""
    explanation: str = ""
    """what explains the verdict, or what is missing for one"""
    sentences: Sequence[str] = ()
    """all that the findings say about it, plain and whole"""


@dataclass(frozen=True)
class Evidence:
    """What verdicts are made of: the findings of one run, and what its table allows."""

    findings: RunFindings
    table: pd.DataFrame

    @cached_property
    def is_rounding(self) -> bool:
        """Whether the velocities of the run are rounding."""
        return is_rounding(self.table)

    @cached_property
    def checkpoints(self) -> int:
        """Checkpoints whose velocity is above the rounding floor, in any homology dimension."""
        measured = select(drop_rounding(self.table), "velocity", layer=overall_layer(self.table))
        return int(measured[measured.value > 0].step.nunique())

    @property
    def dimensions(self) -> list[int]:
        return sorted({k for _, k in self.findings if k >= 0})
