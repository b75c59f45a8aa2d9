"""What a finding is."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    value: float
    """NaN where the finding is a word, or a limitation"""
    low: float = math.nan
    high: float = math.nan
    """95 % bounds; NaN where there are none"""
    called: bool = False
    """whether it is there, by its own rule, and not by chance"""
    sentence: str = ""
    """how it is reported; empty where another finding's sentence says it"""
    label: str = ""
    """the value of a finding that is a word"""
    missing: str = ""
    """where it cannot be stated: what it takes, in a few words"""


RunFindings = dict[tuple[str, int], Finding]
"""By name and homology dimension."""
GroupFindings = dict[tuple[str, str], Finding]
"""By name and group of runs."""
