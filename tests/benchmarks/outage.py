"""What a tracking server that goes away costs training: `python -m tests.benchmarks.outage [rounds]`.

Seconds from the first optimizer step to the last, captures included, with a server that is gone or out of order all the
while, over those with a healthy server. Each round, five by default, has one run of each kind; the median of the rounds
is told. Target: at most 1.1.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from src.system.jsonl import read_jsonl

from ..support.runs import finish, only_run, start
from ..support.servers import Gate, MlflowServer, serve

WAYS = {"healthy": "", "refuses": "refuse", "dies": "die", "hangs": "hang", "answers 500": "fail"}
STEPS = 40
LONGER = (f"trainer.max_steps={STEPS}", "schedule.late=8")


def train(server: MlflowServer, gate: Gate, disturbance: str) -> float:
    """Seconds that the steps of a run took; server and gate are afterwards as they were."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        process = start(folder, f"tracking.uri={gate.uri}", *LONGER)
        while process.poll() is None and not list(folder.rglob("mlflow_run_id")):
            time.sleep(0.05)
        if disturbance == "die":
            server.kill()
        elif disturbance:
            gate.turn(disturbance)
        while process.poll() is None and len(steps_of(folder)) < STEPS:
            time.sleep(0.2)
        if disturbance == "die":
            server.start()
        gate.turn("pass")
        finish(process)
        times = steps_of(folder)
        return (times[-1] - times[0]) / 1000


def steps_of(folder: Path) -> list[int]:
    """When each optimizer step was over, in ms."""
    lines = [line for line, _ in read_jsonl(only_run(folder).spool)]
    return [line["timestamp"] for line in lines if "behavior/train_loss" in line["metrics"]]


def main(rounds: int) -> None:
    taken: dict[str, list[float]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as name, serve(Path(name)) as (server, gate):
        for turn in range(rounds):
            for way in list(WAYS) if turn % 2 else reversed(WAYS):
                taken[way].append(train(server, gate, WAYS[way]))
    print(f"healthy: {statistics.median(taken['healthy']):.1f} s of training")
    for way in list(WAYS)[1:]:
        ratios = sorted(a / b for a, b in zip(taken[way], taken["healthy"], strict=True))
        print(f"{way}: {statistics.median(ratios):.2f} x as long, {ratios[0]:.2f} to {ratios[-1]:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
