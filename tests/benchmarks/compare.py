"""A report of a large sweep: `python -m tests.benchmarks.compare [file to keep the report in]`.

Tables made up for 4 models x 3 objectives x 3 seeds, 40 checkpoints, 9 layers, 20 halves, 256 probes. Seconds from the
store to the report and the pictures, each part by itself, and megabytes of the report. Targets: 30 s, 15 MB.
"""

from __future__ import annotations

import os
import resource
import shutil
import sys
import tempfile
import time
from itertools import product

from .timing import use_one_core

use_one_core()

from pathlib import Path

import numpy as np

from src.comparison.build import compare_runs, log_report
from src.comparison.select import find_runs
from src.config.commands import CompareConfig
from src.figures.report import render_comparison
from src.rundir.naming import directory_of_comparison
from src.tracking.store import open_store

from ..support.planted import Planted, plant_run

MODELS = ("llama", "llama_instruct", "mistral", "mistral_instruct")
OBJECTIVES = ("harmless", "helpful", "mixed")
STEPS = sorted({*np.geomspace(1, 100, 12).round().astype(int).tolist(), 0, *range(130, 1000, 32)})[:40]


def main() -> None:
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for model, objective, seed in product(MODELS, OBJECTIVES, range(3)):
            plant_run(Planted(model, objective, seed, steps=STEPS, layers=9, halves=20), sweep="large", bars=255)
        request = CompareConfig(sweep="large")
        store, directory = open_store(request.tracking), directory_of_comparison(request)
        start, used = time.perf_counter(), time.process_time()
        comparison = compare_runs(store, request, find_runs(store, request))
        reported = time.perf_counter()
        log_report(store, request, render_comparison(comparison), directory)
        end = time.perf_counter()
        size = Path(directory.report).stat().st_size / 2**20
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
        print(
            f"36 runs of {len(STEPS)} checkpoints and 9 layers: reading and findings {reported - start:.1f} s, "
            f"figures, page and MLflow {end - reported:.1f} s, together {end - start:.1f} s, of which "
            f"{time.process_time() - used:.1f} s at work; report {size:.1f} MB; peak {peak:.0f} MB"
        )
        if len(sys.argv) > 1:
            shutil.copy(directory.report, here / sys.argv[1])
        os.chdir(here)


if __name__ == "__main__":
    main()
