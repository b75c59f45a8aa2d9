"""What came of disturbing runs: how many trials, and what differed from what nobody disturbed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from ..support.runs import Reference


@dataclass
class Outcome:
    trials: int = 0
    wrong: list[str] = field(default_factory=list)
    """what differed, one line a trial"""
    notes: list[str] = field(default_factory=list)

    def add(self, trial: int, differences: list[str]) -> None:
        self.trials += 1
        self.wrong += [f"trial {trial}: {difference}" for difference in differences[:1]]


Fault = Callable[[Reference, int, random.Random], Outcome]
"""From the run that nobody disturbs, a number of trials and where chance comes from."""
