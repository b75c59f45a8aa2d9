"""Inputs at random: each ends in a right result or in the package's own words for a wrong request, and in time."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from src.config import RequestError
from src.system.limits import bounded

SECONDS = 30.0
"""A trial that takes longer hangs."""
MEMORY = 2**31
Trial = Callable[[random.Random], str]
"""Makes an input, hands it to the package, returns what differs from the right result; raises what the package does."""


@dataclass
class Tally:
    trials: int = 0
    right: int = 0
    refused: int = 0
    """with a RequestError, which ends a command with status 2"""
    other: list[str] = field(default_factory=list)
    """what else came, one line a trial"""

    def row(self, name: str) -> str:
        listed = "; ".join(self.other[:5]).replace("|", "\\|").replace("\n", " ")
        return f"| {name} | {self.trials} | {self.right} | {self.refused} | {len(self.other)} | {listed} |"


def run_trials(trial: Trial, trials: int, seed: int) -> Tally:
    """As many trials, each of a seed of its own, so that one can be run again alone."""
    tally = Tally()
    for number in range(seed, seed + trials):
        tally.trials += 1
        try:
            with bounded(SECONDS, MEMORY):
                wrong = trial(random.Random(number))
        except RequestError as error:
            tally.refused += 1
            wrong = "" if str(error).strip() else "a RequestError without words"
        except Exception as error:  # which is what is looked for
            wrong = f"{type(error).__name__}: {str(error)[:200]}"
        else:
            tally.right += not wrong
        if wrong:
            tally.other.append(f"seed={number}: {wrong}")
    return tally


def pick_some(rng: random.Random, choices: list[str], most: int) -> Iterator[str]:
    for _ in range(rng.randint(1, most)):
        yield rng.choice(choices)
