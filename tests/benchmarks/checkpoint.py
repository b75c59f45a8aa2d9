"""All layers of one checkpoint with its pair: `python -m tests.benchmarks.checkpoint [compare|growth|full]`.

9 layers, D = 4096, H0 and H1, drift and velocity, two cores.

compare: this project (reading clouds, writing diagrams, summaries and displacement included; without and with the
geometry that the loop does not compute) against a loop over
giotto-tda's `VietorisRipsPersistence` and `PairwiseDistance`, n = 512; taking turns, medians of five.
full: 6 layers, n = 512, with intervals from 20 halves and 20 draws of both kinds: seconds of one core, by width, for
clouds whose spectrum falls as activations' do.
growth: seconds by number of points, layers and checkpoints, with the exponent of each, and peak memory by checkpoints.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from .timing import ONE_THREAD, print_row, seconds, take_turns

os.environ.update(ONE_THREAD)  # two workers share two cores; the loop below gets two threads of its own

import numpy as np
from threadpoolctl import threadpool_limits

from src.clouds.store import write_clouds
from src.config import TdaConfig
from src.measure.checkpoint import Job, measure_layer, write_checkpoint
from src.measure.layer import CheckpointSteps
from src.measure.layer_diagrams import merge_layer_diagrams, read_layer_diagrams, store_layer_diagram
from src.measure.pool import WorkerPool
from src.rundir import RunDirectory

WIDTH, WORKERS, LAYERS, POINTS = 4096, 2, 9, 512
TDA = TdaConfig(
    name="vietoris_rips",
    workers=WORKERS,
    transformer={
        "_target_": "gtda.homology.VietorisRipsPersistence", "metric": "precomputed", "homology_dimensions": [0, 1],
    },
)  # fmt: skip


def plant(
    folder: Path, points: int, layers: int, checkpoints: int, width: int = WIDTH, fall: float = 0.5
) -> RunDirectory:  # fmt: skip
    """Clouds of a walk: step 0 and, from there on, a checkpoint and its pair every ten steps."""
    rng = np.random.default_rng(0)
    run = RunDirectory(folder)
    spread = np.arange(1, width + 1) ** -fall
    clouds = {f"layer_{n:02d}": rng.normal(size=(points, width)) * spread for n in range(1, layers + 1)}
    for start in range(0, 10 * checkpoints, 10):
        for step in (start, start + 1):
            clouds = {name: x + 0.01 * rng.normal(size=x.shape) * spread for name, x in clouds.items()}
            write_clouds(run.clouds(step), clouds, step=step, probe_hash="benchmark")
    return run


class Ours:
    """A pool that lives on, as in a run; every call measures into a fresh directory."""

    def __init__(self, pool: WorkerPool, source: RunDirectory, checkpoints: list[int], tda: TdaConfig = TDA) -> None:
        self.pool, self.source, self.checkpoints, self.tda, self.calls = pool, source, checkpoints, tda, 0

    def __call__(self) -> None:
        self.calls += 1
        run = RunDirectory(self.source.path / f"call{id(self)}-{self.calls}")
        for step in self.checkpoints:
            self.pool.submit(Job(self.source, run, CheckpointSteps(step, ((step, step + 1),), None), self.tda))
        assert len(list(self.pool.collect(wait=True))) == len(self.checkpoints)


def loop_over_giotto(source: RunDirectory) -> None:
    from gtda.diagrams import PairwiseDistance
    from gtda.homology import VietorisRipsPersistence

    from src.clouds.store import read_cloud

    with threadpool_limits(2):
        for n in range(1, LAYERS + 1):
            clouds = [read_cloud(source.clouds(step), f"layer_{n:02d}") for step in (0, 10, 11)]
            start, here, later = VietorisRipsPersistence(n_jobs=None).fit_transform(clouds)
            between = PairwiseDistance("wasserstein", metric_params={"p": 1, "delta": 1e-6}, order=None)
            between.fit(np.stack([start, later])).transform(here[None])


def compare() -> None:
    with tempfile.TemporaryDirectory() as folder, WorkerPool(WORKERS) as pool:
        source = plant(Path(folder), POINTS, LAYERS, 2)
        ways = {
            "ours": Ours(pool, source, [10], replace(TDA, geometry=False)),
            "with geometry": Ours(pool, source, [10]),
            "giotto-tda": lambda: loop_over_giotto(source),
        }
        print_row("one checkpoint, 9 layers", take_turns(ways), "ours")


def full() -> None:
    tda = replace(TDA, subsamples=20, null_draws=20)
    for width, fall in ((128, 0.5), (128, 1.0), (4096, 0.5), (4096, 1.0)):
        with tempfile.TemporaryDirectory() as folder:
            run = plant(Path(folder), POINTS, 6, 2, width, fall)
            job = Job(run, run, CheckpointSteps(10, ((10, 11),), 0), tda)
            layers = [f"layer_{n:02d}" for n in range(1, 7)]
            taken = [_cpu_seconds(job, layers) for _ in range(2)][1:]
            bars = read_layer_diagrams(run.diagrams(10))["layer_01"].diagram
            loops = int((bars[:, 2] == 1).sum())
            print(
                f"full, D = {width}, spectrum j^-{fall:g} ({loops} H1 bars): {np.median(taken):.1f} s of one core",
                flush=True,
            )


def _cpu_seconds(job: Job, layers: list[str]) -> float:
    """Of this process alone, whatever else the machine does."""
    start = time.process_time()
    for step in job.at.steps:
        job.run.diagrams(step).unlink(missing_ok=True)
        for layer in layers:
            store_layer_diagram(job.source, job.run, step, layer, job.tda)
        merge_layer_diagrams(job.run, step, layers)
    write_checkpoint(job, [row for layer in layers for row in measure_layer(job, layer)], 0.0)
    return time.process_time() - start


def measure_growth(points: int, layers: int, checkpoints: int) -> tuple[float, float]:
    """Median seconds of three, and peak memory in MB of the largest process, in a pool of its own."""
    with tempfile.TemporaryDirectory() as folder, WorkerPool(WORKERS) as pool:
        work = Ours(pool, plant(Path(folder), points, layers, checkpoints), list(range(0, 10 * checkpoints, 10)))
        work()
        took = float(np.median([seconds(work) for _ in range(3)]))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return took, peak


def growth() -> None:
    default = {"points": 256, "layers": 4, "checkpoints": 4}
    for name, values in {"points": (128, 256, 512, 1024), "layers": (2, 4, 8), "checkpoints": (2, 4, 8, 16)}.items():
        found = []
        for value in values:
            # A process of its own: peak memory never falls within one.
            with multiprocessing.get_context("spawn").Pool(1) as one:
                found.append(one.apply(_in_child, ({**default, name: value},)))
        exponent = np.polyfit(np.log(values), np.log([took for took, _ in found]), 1)[0]
        row = "  ".join(f"{v}: {took:.2f} s, {peak:.0f} MB" for v, (took, peak) in zip(values, found, strict=True))
        print(f"{name:>12}  {row}   exponent {exponent:.2f}", flush=True)


def _in_child(sizes: dict[str, int]) -> tuple[float, float]:
    multiprocessing.current_process().daemon = False  # it has workers of its own
    return measure_growth(**sizes)


if __name__ == "__main__":
    for part in sys.argv[1:] or ["compare", "growth", "full"]:
        {"compare": compare, "growth": growth, "full": full}[part]()
