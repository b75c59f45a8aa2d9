"""`python -m tests.faults [trials=<for each>] [seed=<first>] [fault ...]`: runs and inputs disturbed on purpose.

Of a run: the numbers, clouds and weights are those of the undisturbed run, bit for bit, and MLflow has each point once.
Of an input: a right result, or the package's own words for a wrong request (status 2). Of a damaged file: never another
number, and nothing that waits for ever. Of what others hand on: nothing is run, written elsewhere, sent or shown. All
trials take some four hours on two quiet cores.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from ..support.runs import Reference
from . import disks, files, hostile, kills, load, stores, workers
from .dialogues import read_and_encode
from .inputs import Trial, run_trials
from .outcome import Fault
from .overrides import compose_and_check

ATTACKS: dict[str, Callable[[int, int], list[files.Row]]] = {
    "files": files.main, "hostile": hostile.main, "load": load.main,
}  # fmt: skip
"""By name, from the number of all trials and a seed to the rows of the table."""
ATTACK_TRIALS = 400

INPUTS: dict[str, tuple[str, int, Trial]] = {
    "dialogues": ("files of dialogues at random, read and tokenized", 2000, read_and_encode),
    "overrides": ("command lines at random, composed and checked", 1000, compose_and_check),
}
"""By name: what is made, how often, and one trial."""


FAULTS: dict[str, tuple[str, int, Fault]] = kills.FAULTS | workers.FAULTS | stores.FAULTS | disks.FAULTS
"""By name: what disturbs a run, how often, and how."""


def main(words: list[str]) -> int:
    given = dict(word.split("=", 1) for word in words if "=" in word)
    known = [*INPUTS, *ATTACKS, *FAULTS]
    names = [word for word in words if "=" not in word] or known
    unknown = [name for name in names if name not in known] + sorted(set(given) - {"trials", "seed"})
    if unknown:
        print(f"unknown {', '.join(unknown)}; there are: {', '.join(known)}, trials=, seed=", file=sys.stderr)
        return 2
    asked, seed = int(given["trials"]) if "trials" in given else None, int(given.get("seed", "0"))
    wrong = disturb_inputs([name for name in names if name in INPUTS], asked, seed)
    wrong += attack([name for name in names if name in ATTACKS], asked or ATTACK_TRIALS, seed)
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


def attack(names: list[str], trials: int, seed: int) -> int:
    """Returns how many trials ended otherwise than they must."""
    if names:
        print("| damaged, hostile or heavy | trials | held | |\n|---|---|---|---|", flush=True)
    broken = 0
    for what, count, held, message in (row for name in names for row in ATTACKS[name](trials, seed)):
        print(f"| {what} | {count} | {held} of {count} | {message} |", flush=True)
        broken += count - held
    return broken


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
