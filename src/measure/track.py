"""The measurement for anybody's arrays: clouds of one layer in, the long table out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from ..config import TdaConfig
from ..metrics.table import MEAN, tabulate
from ..topology.distances import power_of_two
from .inference import infer
from .layer import CheckpointSteps, LayerCheckpoint
from .layer_diagrams import compute_layer_diagram
from .rows import measure_rows

LAYER = "layer_01"
QUANTITIES = (
    "points", "drift", "velocity", "naive_velocity", "displacement", "rigid_share", "rigid_share_null",
    "distance_change", "excess", "excess_p", "null_velocity", "independent_velocity", "independent_excess",
    "independent_excess_p", "own_scale_velocity", "null_own_scale_velocity", "excess_own_scale",
    "excess_own_scale_p", "coherence", "step_noise", "rtd", "rtd/max_persistence", "base_displacement", "base_p",
)  # fmt: skip


def track(
    clouds: Mapping[int, np.ndarray], lag: int = 1, checkpoints: Sequence[int] | None = None,
    dimensions: Sequence[int] = (0, 1), subsamples: int = 20, null_draws: int = 20, seed: int = 0,
) -> pd.DataFrame:  # fmt: skip
    """How the shape of a cloud moves, with intervals and against chance.

    Args:
        clouds: (N, D) by step, the same rows at every step, pairs included; drift is measured from the first.
        lag: steps between the two clouds of a pair. Pairs that follow a checkpoint without a gap, step + lag,
            step + 2 lag, ..., are its repeats.
        checkpoints: the scheduled steps; by default every step whose `step - lag` is absent.
        dimensions: homology dimensions, of Vietoris-Rips.
        subsamples: random halves of the rows that intervals come from.
        null_draws: random movements of each family.
        seed: of both.

    Returns:
        Columns step, pair_step, layer, dimension, quantity, sample, value, low, high, as in `topology.parquet`.

    Raises:
        ValueError: if shapes differ, fewer than 6 rows are there, or no step has its pair.
    """
    chosen = _check(clouds, lag, checkpoints, subsamples, null_draws)
    transformer = {
        "_target_": "gtda.homology.VietorisRipsPersistence", "metric": "precomputed",
        "homology_dimensions": list(dimensions),
    }  # fmt: skip
    tda = TdaConfig(name="track", transformer=transformer, subsamples=subsamples, null_draws=null_draws)
    first = min(clouds)
    # One unit for all, a power of two, so that nothing is rounded: no quantity here has a length of its own.
    unit = power_of_two(np.asarray(clouds[first]))
    arrays = {step: np.asarray(cloud) if unit == 1 else np.asarray(cloud) / unit for step, cloud in clouds.items()}
    diagrams = {step: compute_layer_diagram(cloud, arrays[first], tda) for step, cloud in arrays.items()}
    rows = []
    for previous, step in zip([None, *chosen], chosen, strict=False):
        pairs = tuple(_pairs(step, lag, arrays, chosen))
        at = CheckpointSteps(step, pairs, previous, first, is_last=step == chosen[-1])
        layer = LayerCheckpoint(
            at, LAYER, {s: arrays[s] for s in at.steps}, {s: diagrams[s] for s in at.steps}, tda, seed
        )
        rows += infer(measure_rows(layer))
    return tabulate(row for row in rows if row.quantity in QUANTITIES and row.layer != MEAN)


def _pairs(
    step: int, lag: int, clouds: Mapping[int, object], checkpoints: Sequence[int]
) -> Iterator[tuple[int, int]]:  # fmt: skip
    """The pair of a checkpoint, and the repeats that follow it up to the next checkpoint."""
    while step + lag in clouds:
        yield step, step + lag
        step += lag
        if step in checkpoints:
            return


def _check(
    clouds: Mapping[int, np.ndarray], lag: int, checkpoints: Sequence[int] | None, subsamples: int, null_draws: int
) -> list[int]:
    """The checkpoints, ascending; raises ValueError if the arguments do not make a series."""
    shapes = {np.shape(cloud) for cloud in clouds.values()}
    if len(shapes) != 1 or len(next(iter(shapes))) != 2:
        raise ValueError(f"clouds have the shapes {sorted(map(str, shapes))}; give (N, D), the same rows at every step")
    points = next(iter(shapes))[0]
    if points < (6 if subsamples else 3):
        raise ValueError(f"{points} rows: a subsample is half of them and needs 3; give 6 or more, or subsamples=0")
    for name, count in (("subsamples", subsamples), ("null_draws", null_draws)):
        if count < 0 or count == 1:
            raise ValueError(f"{name}={count}: one value has no spread; give 0, or at least 2")
    if lag < 1:
        raise ValueError(f"lag={lag}: at least 1")
    chosen = sorted(step for step in clouds if step - lag not in clouds) if checkpoints is None else sorted(checkpoints)
    missing = [step for step in chosen if step not in clouds]
    if missing:
        raise ValueError(f"checkpoints={missing}: no cloud of these steps")
    if not any(step + lag in clouds for step in chosen):
        raise ValueError(
            f"lag={lag}: no checkpoint has a cloud {lag} step(s) later, so that nothing moves; steps: {sorted(clouds)}"
        )
    return chosen
