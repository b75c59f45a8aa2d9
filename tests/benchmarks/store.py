"""A store that has grown: `python -m tests.benchmarks.store [runs]`.

Made-up runs, 100 if not counted otherwise, of 60 steps with 300 numbers each, in one SQLite store. Seconds until each
prepared view is drawn in headless Chromium, and that `src.compare` takes over all of them. Targets: 5 and 60 s.
"""

from __future__ import annotations

import itertools
import os
import re
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from mlflow.entities import Metric

from src.config import TrackingConfig
from src.tracking.store import Store, open_store, write_views
from src.tracking.views import VIEWS

from ..support.planted import PULLS, Planted, plant_run
from ..support.processes import run_module
from . import pages

RUNS, KEYS, STEPS, BATCH = 100, 300, tuple(range(60)), 1000
LAYERS = 9


def all_keys() -> list[str]:
    """What the views draw, and as many numbers of single blocks as a run has besides."""
    drawn = {key for view in VIEWS for key in view.metrics}
    others = (
        f"topology/H{k}/quantity_{n}/layer_{n % LAYERS + 1:02d}" for n, k in itertools.product(range(KEYS), (0, 1))
    )
    return [*sorted(drawn), *others][:KEYS]


def log_curves(store: Store, run_id: str, rng: np.random.Generator) -> None:
    now = int(time.time() * 1000)
    curves = rng.normal(size=(KEYS, len(STEPS))).cumsum(axis=1)
    points = [
        Metric(k, float(v), now, s)
        for k, curve in zip(all_keys(), curves, strict=True)
        for s, v in zip(STEPS, curve, strict=True)
    ]
    for start in range(0, len(points), BATCH):
        store.client.log_batch(run_id, metrics=points[start : start + BATCH])


def main(runs: int) -> None:
    here, rng = Path.cwd(), np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        cells = [
            Planted(f"model{m}", objective, seed, steps=STEPS, layers=LAYERS)
            for seed, m, objective in itertools.product(range(9), range(4), PULLS)
        ]
        store, begun = open_store(TrackingConfig()), time.perf_counter()
        for cell in cells[:runs]:
            log_curves(store, plant_run(cell, sweep="large"), rng)
        write_views(store)
        taken = time.perf_counter() - begun
        size = Path("multirun/mlflow.db").stat().st_size / 2**20
        print(f"{runs} runs, {runs * KEYS * len(STEPS):,} numbers, {size:.0f} MB: logged in {taken:.0f} s")
        pages.main(Path())
        begun = time.perf_counter()
        done = run_module("src.compare", "sweep=large", cwd=Path(folder), timeout=1200)
        assert not done.returncode, done.stderr
        counted = re.search(r"\d+ runs.*", done.stdout)
        print(f"src.compare of {runs} runs: {time.perf_counter() - begun:.0f} s ({counted[0] if counted else ''})")
        os.chdir(here)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS)
