"""The measurement for anybody's arrays: clouds of one layer in, the long table out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..arrays import read_integer, read_integers, read_points
from ..config import TdaConfig
from ..metrics.table import MEAN, WINDOW, tabulate
from ..system.words import count_of
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
    f"{WINDOW}velocity", f"{WINDOW}distance_change",
)  # fmt: skip


def track(
    clouds: Mapping[int, ArrayLike], lag: int = 1, checkpoints: Sequence[int] | None = None,
    dimensions: Sequence[int] = (0, 1), subsamples: int = 20, null_draws: int = 20, seed: int = 0,
    repeats: int | None = None,
) -> pd.DataFrame:  # fmt: skip
    """How the shape of a cloud moves, with intervals and against chance.

    Args:
        clouds: (N, D) by step, the same rows at every step, pairs included; drift is measured from the first. Each an
            array, nested lists, a tensor or a frame of any real type.
        lag: steps between the two clouds of a pair. Pairs that follow a checkpoint without a gap, step + lag,
            step + 2 lag, ..., are its repeats.
        checkpoints: the scheduled steps; by default every step whose `step - lag` is absent.
        dimensions: homology dimensions, of Vietoris-Rips.
        subsamples: random halves of the rows that intervals come from.
        null_draws: random movements of each family.
        seed: of both, at least 0.
        repeats: pairs of a checkpoint that are averaged, by default all; those that follow them without a gap then only
            show how alike neighbouring steps are.

    Returns:
        Columns step, pair_step, layer, dimension, quantity, sample, value, low, high, as in `topology.parquet`.

    Raises:
        ValueError: if shapes differ, a value is not finite or no real number, fewer than 6 rows are there, a step is no
            whole number or there twice, or no step has its pair.
    """
    arrays = _read_clouds(clouds, 6 if subsamples else 3)
    lag, seed = read_integer(lag, "lag", at_least=1), read_integer(seed, "seed")
    subsamples, null_draws = _read_count(subsamples, "subsamples"), _read_count(null_draws, "null_draws")
    repeats = None if repeats is None else read_integer(repeats, "repeats", at_least=1)
    chosen = _read_checkpoints(checkpoints, lag, list(arrays))
    transformer = {
        "_target_": "gtda.homology.VietorisRipsPersistence", "metric": "precomputed",
        "homology_dimensions": read_integers(dimensions, "dimensions"),
    }  # fmt: skip
    tda = TdaConfig(name="track", transformer=transformer, subsamples=subsamples, null_draws=null_draws)
    first = min(arrays)
    # One unit for all, a power of two, so that nothing is rounded: no quantity here has a length of its own.
    unit = power_of_two(arrays[first])
    arrays = arrays if unit == 1 else {step: cloud / unit for step, cloud in arrays.items()}
    diagrams = {step: compute_layer_diagram(cloud, arrays[first], tda) for step, cloud in arrays.items()}
    rows = []
    for previous, step in zip([None, *chosen], chosen, strict=False):
        pairs = tuple(_pairs(step, lag, arrays, chosen))
        at = CheckpointSteps(
            step, pairs[:repeats], previous, first, is_last=step == chosen[-1], window=pairs[repeats or len(pairs) :]
        )
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


def _read_clouds(clouds: Mapping[int, ArrayLike], least: int) -> dict[int, np.ndarray]:
    """float64 (N, D) by step, N at least `least`."""
    if not isinstance(clouds, Mapping):
        raise ValueError(f"clouds is a {type(clouds).__name__}; give a dict, (N, D) by step: {{0: x0, 1: x1}}")
    steps = read_integers(clouds, "step of clouds")
    arrays = {
        step: read_points(cloud, f"clouds[{step}]") for step, cloud in zip(steps, clouds.values(), strict=True)
    }  # fmt: skip
    shapes = sorted({cloud.shape for cloud in arrays.values()})
    if len(shapes) > 1:
        raise ValueError(f"clouds have the shapes {shapes}; give (N, D), the same rows at every step")
    if shapes[0][0] < least:
        raise ValueError(
            f"clouds have {shapes[0][0]} rows: a subsample is half of them and needs 3; give 6 or more, or "
            "subsamples=0 and 3 or more"
        )
    return arrays


def _read_count(given: int, name: str) -> int:
    count = read_integer(given, name)
    if count == 1:
        raise ValueError(f"{name}=1: one value has no spread; give 0, or at least 2")
    return count


def _read_checkpoints(given: Sequence[int] | None, lag: int, steps: Sequence[int]) -> list[int]:
    """The checkpoints, ascending, one of them at least with a pair."""
    chosen = sorted(
        {step for step in steps if step - lag not in steps} if given is None else read_integers(given, "checkpoints")
    )
    missing = [step for step in chosen if step not in steps]
    if missing:
        raise ValueError(f"checkpoints={missing}: no cloud of these steps; the steps of clouds are {sorted(steps)}")
    if not any(step + lag in steps for step in chosen):
        raise ValueError(
            f"lag={lag}: no checkpoint has a cloud {count_of(lag, 'step')} later, so that nothing moves; steps: "
            f"{sorted(steps)}"
        )
    return chosen
