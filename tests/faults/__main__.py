"""`python -m tests.faults [trials=<for each>] [fault ...]`: runs disturbed on purpose, against one that is not.

What must hold: the numbers, clouds and weights are those of the undisturbed run, bit for bit, and MLflow has each point
once. All trials take about 40 minutes on two quiet cores.
"""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path

from ..support.runs import Reference
from .trials import FAULTS


def main(words: list[str]) -> int:
    asked = next((int(word.partition("=")[2]) for word in words if word.startswith("trials=")), None)
    names = [word for word in words if "=" not in word] or list(FAULTS)
    unknown = [name for name in names if name not in FAULTS]
    if unknown:
        print(f"unknown fault {', '.join(unknown)}; there are: {', '.join(FAULTS)}", file=sys.stderr)
        return 2
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
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
