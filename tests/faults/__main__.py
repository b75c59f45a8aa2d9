"""`python -m tests.faults [trials=<for each>] [seed=<first>] [fault ...]`: runs and inputs disturbed on purpose.

Of a run: the numbers, clouds and weights are those of the undisturbed run, bit for bit, and MLflow has each point once.
Of an input: a right result, or the package's own words for a wrong request (status 2). All trials take about 45 minutes
on two quiet cores.
"""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path

from ..support.runs import Reference
from .dialogues import read_and_encode
from .inputs import Trial, run_trials
from .overrides import compose_and_check
from .trials import FAULTS

INPUTS: dict[str, tuple[str, int, Trial]] = {
    "dialogues": ("files of dialogues at random, read and tokenized", 2000, read_and_encode),
    "overrides": ("command lines at random, composed and checked", 1000, compose_and_check),
}
"""By name: what is made, how often, and one trial."""


def main(words: list[str]) -> int:
    given = dict(word.split("=", 1) for word in words if "=" in word)
    known = [*INPUTS, *FAULTS]
    names = [word for word in words if "=" not in word] or known
    unknown = [name for name in names if name not in known] + sorted(set(given) - {"trials", "seed"})
    if unknown:
        print(f"unknown {', '.join(unknown)}; there are: {', '.join(known)}, trials=, seed=", file=sys.stderr)
        return 2
    asked = int(given["trials"]) if "trials" in given else None
    wrong = disturb_inputs([name for name in names if name in INPUTS], asked, int(given.get("seed", "0")))
    wrong += disturb_runs([name for name in names if name in FAULTS], asked)
    return int(wrong > 0)


def disturb_inputs(names: list[str], asked: int | None, seed: int) -> int:
    """Returns how many trials ended in something else than a right result or a refusal."""
    if names:
        print("| input | trials | right result | status 2 | anything else | |\n|---|---|---|---|---|---|", flush=True)
    other = 0
    for name in names:
        title, default, trial = INPUTS[name]
        tally = run_trials(trial, asked or default, seed)
        other += len(tally.other)
        print(tally.row(title), flush=True)
    return other


def disturb_runs(names: list[str], asked: int | None) -> int:
    """Returns how many trials differ from the undisturbed run."""
    if not names:
        return 0
    with tempfile.TemporaryDirectory() as name:
        reference = Reference.make(Path(name))
    print("| fault | trials | as undisturbed | |\n|---|---|---|---|", flush=True)
    broken = 0
    for name in names:
        planted, default, fault = FAULTS[name]
        outcome = fault(reference, asked or default, random.Random(name))
        broken += len(outcome.wrong)
        right = outcome.trials - len(outcome.wrong)
        message = "; ".join([*outcome.wrong, *outcome.notes])
        print(f"| {planted} | {outcome.trials} | {right} of {outcome.trials} | {message} |", flush=True)
    return broken


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
