"""From values on all probes, on random halves and under chance to intervals and excess, by layer and for their mean."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from ..metrics.table import HALF, MEAN, Row, with_means
from ..statistics.intervals import Scale, interval, prediction_interval, prediction_p, quantile

SHARES = ("rigid_share",)
Place = tuple[str, str, int]
"""Quantity, layer, dimension."""


def infer(found: Iterable[Row]) -> list[Row]:
    """All rows of one checkpoint with their means over the layers, their intervals, step noise and excess."""
    rows = with_means(row for row in found if math.isfinite(row.value))
    samples: dict[Place, list[Row]] = defaultdict(list)
    pairs: dict[Place, list[float]] = defaultdict(list)
    for row in rows:
        place = (row.quantity, row.layer, row.dimension)
        if row.part == "sample":
            samples[place].append(row)
        elif row.part == "pair":
            pairs[place].append(row.value)
    kept = (row for row in rows if not row.quantity.startswith(HALF))
    bounded = [_with_interval(row, samples) for row in kept]
    return [*bounded, *_step_noise(rows, pairs), *_excess(bounded, samples)]


def _with_interval(row: Row, samples: dict[Place, list[Row]]) -> Row:
    halves = samples.get((row.quantity, row.layer, row.dimension))
    if row.part != "checkpoint" or halves is None:
        return row
    scale: Scale = "logit" if row.quantity in SHARES else "log"
    low, high = interval(row.value, np.array([half.value for half in halves]), scale)
    return replace(row, low=low, high=high)


def _step_noise(rows: Iterable[Row], pairs: dict[Place, list[float]]) -> Iterator[Row]:
    """Spread of the velocity over a checkpoint's pairs, as a standard deviation of its logarithm."""
    for row in rows:
        values = pairs.get((row.quantity, row.layer, row.dimension), [])
        is_velocity = row.quantity == "velocity" and row.part == "checkpoint"
        if is_velocity and len(values) > 1 and min(values) > 0:
            yield replace(row, quantity="step_noise", value=float(np.log(values).std(ddof=1)))


EXCESS = {
    "excess": ("velocity", "null_velocity"),
    "independent_excess": ("velocity", "independent_velocity"),
    "weights_excess": ("velocity", "weights_velocity"),
    "excess_own_scale": ("own_scale_velocity", "null_own_scale_velocity"),
}
"""Excess -> what is divided by the mean of which draws."""
INFERRED = ("step_noise", *EXCESS, *(f"{name}_p" for name in EXCESS), *(draws for _, draws in EXCESS.values()))
"""What `infer` adds for a checkpoint to the values that are measured."""


def _excess(rows: list[Row], samples: dict[Place, list[Row]]) -> Iterator[Row]:
    """Velocity over the mean velocity of the draws, its p, and the band that the draws span.

    The interval joins the spread over the halves, each over its own null, and the error of the draws' mean. Where the
    halves have none (other families than the smooth one), the velocity's own interval takes the place of their spread.
    """
    for name, (measured, quantity) in EXCESS.items():
        velocities = {(r.layer, r.dimension): r for r in rows if r.quantity == measured and r.part == "checkpoint"}
        for (layer, k), velocity in velocities.items():
            draws = np.array([row.value for row in samples.get((quantity, layer, k), [])])
            if layer == MEAN:
                # A layer without a null is not in the draws' mean, so it must not be in the velocity's.
                velocity = _mean_over(velocity, [v for (_, d), v in velocities.items() if d == k], quantity, samples)
            if len(draws) < 2 or not (draws.min() > 0 and velocity.value > 0):
                continue
            blank = replace(velocity, low=math.nan, high=math.nan)
            low, high = prediction_interval(draws)
            yield replace(blank, quantity=quantity, value=float(draws.mean()), low=low, high=high)
            halves = _excess_of_halves(velocity, (measured, HALF + quantity), samples)
            yield from (replace(blank, quantity=name, value=value, sample=n) for n, value in halves.items())
            # A mean that is made once more, over fewer layers, has those of its layers.
            known = {row.sample: row.value for row in samples.get((name, layer, k), [])}
            yield _ratio(velocity, draws, name, halves or known)
            yield replace(blank, quantity=f"{name}_p", value=prediction_p(velocity.value, draws))


def _ratio(velocity: Row, draws: np.ndarray, name: str, halves: dict[int, float]) -> Row:
    """The velocity over the mean of the draws, the errors of both joined.

    Args:
        halves: the same of each half, by its number.
    """
    ratio = velocity.value / float(draws.mean())
    error = quantile(len(draws)) * float(np.log(draws).std(ddof=1)) / math.sqrt(len(draws))
    if halves:
        low, high = interval(ratio, np.array(list(halves.values())), extra_half_width=error)
    else:
        below, above = math.log(velocity.value / velocity.low), math.log(velocity.high / velocity.value)
        low, high = ratio * math.exp(-math.hypot(below, error)), ratio * math.exp(math.hypot(above, error))
    return replace(velocity, quantity=name, value=ratio, low=low, high=high)


def _excess_of_halves(velocity: Row, names: tuple[str, str], samples: dict[Place, list[Row]]) -> dict[int, float]:
    """The excess on each half of the probes over its own null, by its number; empty where some half has none."""
    k = velocity.dimension
    layers = [velocity.layer] if velocity.layer != MEAN else [
        layer for (name, layer, d) in samples if (name, d) == (names[1], k) and layer != MEAN
    ]  # fmt: skip
    moved, drawn = (
        [[row.value for row in sorted(samples.get((name, layer, k), []), key=_number)] for layer in layers]
        for name in names
    )
    if not moved or {len(values) for values in drawn} != {len(values) for values in moved} or not all(drawn):
        return {}
    velocities, chance = np.mean(moved, axis=0), np.mean(drawn, axis=0)
    if not (velocities.min() > 0 and chance.min() > 0):
        return {}
    return dict(enumerate((velocities / chance).tolist()))


def _number(row: Row) -> int:
    return row.sample


def _mean_over(mean: Row, layers: list[Row], quantity: str, samples: dict[Place, list[Row]]) -> Row:
    """The mean of the velocities of those layers that have draws; the interval keeps its relative width."""
    having = [v.value for v in layers if v.layer != MEAN and (quantity, v.layer, v.dimension) in samples]
    if not having:
        return mean
    value = float(np.mean(having))
    change = value / mean.value if mean.value else 1.0
    return replace(mean, value=value, low=mean.low * change, high=mean.high * change)
