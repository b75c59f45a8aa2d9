"""`python -m tests.validity [trials=200] [control ...]`: the table of controls, as Markdown.

One process a core. 200 trials of all controls take about 50 minutes on two quiet cores; what is done is kept in
multirun/validity.jsonl: an interrupted suite goes on where it stopped, as long as the measuring code is the same.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import sys
from collections import defaultdict
from pathlib import Path

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

from src.rundir import ROOT

from .controls import CONTROLS, collect, run_task

KEPT = ROOT / "validity.jsonl"
MEASURING = (
    "src/topology", "src/geometry", "src/statistics", "src/metrics", "src/measure", "src/findings", "src/clouds",
    "src/training", "tests/validity",
)  # fmt: skip
Done = dict[str, dict[int, dict[str, float]]]
"""Values by control and number of the trial."""


def code_hash() -> str:
    """Of everything that a trial hangs on."""
    files = [
        path for part in MEASURING for path in ([Path(part)] if part.endswith(".py") else Path(part).rglob("*.py"))
    ]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(files))).hexdigest()[:12]


def read_kept(code: str) -> Done:
    done: Done = defaultdict(dict)
    lines = map(json.loads, KEPT.read_text().splitlines()) if KEPT.exists() else ()
    for line in lines:
        if line["code"] == code:
            done[line["control"]][line["trial"]] = line["values"]
    return done


def show(done: Done, names: list[str]) -> int:
    """Print the table; the number of answers that do not hold."""
    print("| planted | trials | found | holds |\n|---|---|---|---|")
    broken = 0
    for name in names:
        trials = list(done[name].values())
        if len(trials) < 2:
            print(f"| {CONTROLS[name].planted} | {len(trials)} | | |")
            continue
        for answer in CONTROLS[name].assess(collect(trials)):
            holds = "yes" if answer.holds else "**no**"
            print(f"| {CONTROLS[name].planted} | {len(trials)} | {answer.message} | {holds} |")
            broken += not answer.holds
    return broken


def _is_meant(name: str, word: str) -> bool:
    """Whether a word of the command stands for a control: its name, or what several names begin with."""
    return name == word or name.startswith(f"{word}_")


def main(words: list[str]) -> int:
    trials = next((int(word.partition("=")[2]) for word in words if word.startswith("trials=")), 200)
    asked = [word for word in words if "=" not in word]
    unknown = [word for word in asked if not any(_is_meant(name, word) for name in CONTROLS)]
    if unknown:
        print(f"unknown control {', '.join(unknown)}; there are: {', '.join(CONTROLS)}", file=sys.stderr)
        return 2
    names = [name for name in CONTROLS if not asked or any(_is_meant(name, word) for word in asked)]
    ROOT.mkdir(exist_ok=True)
    code = code_hash()
    done = read_kept(code)
    # Trial by trial through all controls: stopped at any time, all of them have about as many.
    tasks = [(name, number) for number in range(trials) for name in names if number not in done[name]]
    try:
        with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool, KEPT.open("a") as kept:
            for name, number, values in pool.imap_unordered(run_task, tasks):
                done[name][number] = values
                print(
                    json.dumps({"code": code, "control": name, "trial": number, "values": values}),
                    file=kept,
                    flush=True,
                )
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
    return int(show(done, names) > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
