"""Curves over training, read from the table of a run: one value a checkpoint, its halves of the probes, its noise."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from ..metrics.selection import select, select_curve
from ..metrics.table import WINDOW
from ..statistics import NORMAL
from ..statistics.autocorrelation import Series
from ..statistics.intervals import Scale, interval, transform

NOISE_DRAWS = 200
"""Times that a curve is disturbed by its step noise to see what a finding makes of it."""
MIN_COURSE = 3
"""Checkpoints with pairs below which there is no course over training."""

Period = Literal["early", "late"]
"""Of a run: the first tenth of its steps, the last half of them."""
Statistic = Callable[[np.ndarray], np.ndarray]
"""From (..., n) values of curves, in the order of their steps, to (...) numbers."""


@dataclass(frozen=True)
class Curve:
    steps: np.ndarray
    """(n,) optimizer steps of the checkpoints"""
    values: np.ndarray
    """(n,) on all probes, a checkpoint's pairs averaged"""
    halves: np.ndarray
    """(B, n) on random halves of the probes"""
    members: tuple[np.ndarray, ...]
    """for each checkpoint the steps at which its pairs begin; its own step where the quantity has no pairs"""
    runs: tuple[Series, ...] = ()
    """values of single pairs that follow each other without a gap: they tell how alike neighbouring steps are"""
    noise: float = 0.0
    """step noise: standard deviation of the logarithm of `values` from one draw of batches to another"""

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def late(self) -> np.ndarray:
        """Which checkpoints lie in the last half of the steps."""
        return np.asarray(self.steps >= (self.steps[0] + self.steps[-1]) / 2)

    @property
    def early(self) -> np.ndarray:
        """Which lie in the first tenth."""
        return np.asarray(self.steps <= self.steps[0] + (self.steps[-1] - self.steps[0]) / 10)

    def keep(self, mask: np.ndarray) -> Curve:
        members = tuple(each for each, kept in zip(self.members, mask, strict=True) if kept)
        return replace(
            self, steps=self.steps[mask], values=self.values[mask], halves=self.halves[:, mask], members=members
        )

    def divide(self, other: Curve) -> Curve:
        """This curve over another with the same steps, half by half and pair by pair; the noise stays."""
        halves = self.halves / other.halves if len(other.halves) == len(self.halves) else self.halves / other.values
        divisors = {start: value for run in other.runs for start, value in zip(*run, strict=True)}
        runs = tuple(
            (starts, values / np.array([divisors[start] for start in starts]))
            for starts, values in self.runs if all(divisors.get(start, 0) > 0 for start in starts)
        )  # fmt: skip
        return replace(self, values=self.values / other.values, halves=halves, runs=runs)

    def estimate(self, statistic: Statistic, scale: Scale) -> tuple[float, float, float]:
        """A statistic with its 95 % interval: spread over halves of the probes and step noise, joined in squares."""
        value = float(statistic(self.values))
        spread = 0.0
        if self.noise > 0:
            draws = np.random.default_rng(0).normal(scale=self.noise, size=(NOISE_DRAWS, len(self)))
            spread = float(np.nanstd(transform(statistic(self.values * np.exp(draws)), scale)))
        return (value, *interval(value, statistic(self.halves), scale, extra_half_width=NORMAL * spread))


def one_by_one(statistic: Callable[[np.ndarray], float]) -> Statistic:
    """What takes one curve, for many."""
    return lambda values: np.apply_along_axis(statistic, -1, values) if values.size else np.zeros(values.shape[:-1])


def smooth(values: np.ndarray) -> np.ndarray:
    """Running median of three along the last axis, of two at the ends; NaN where there is one value alone."""
    if values.shape[-1] < 2:
        return np.full(values.shape, math.nan)
    first, last = values[..., :2].mean(axis=-1, keepdims=True), values[..., -2:].mean(axis=-1, keepdims=True)
    inner = np.sort(np.stack([values[..., :-2], values[..., 1:-1], values[..., 2:]]), axis=0)[1]
    return np.concatenate([first, inner, last], axis=-1)


def read_curve(table: pd.DataFrame, quantity: str, dimension: int, layer: str) -> Curve:
    """The curve of a quantity; without any checkpoint if it was not measured."""
    rows = select(table, (quantity, WINDOW + quantity), dimension, layer, part=None)
    is_own, is_pair = (rows.quantity == quantity).to_numpy(), rows.pair_step.to_numpy() >= 0
    samples, ends, places, values = (rows[name].to_numpy() for name in ("sample", "pair_step", "step", "value"))
    single = is_own & ~is_pair & (samples < 0)
    steps, first = np.unique(places[single], return_index=True)
    pairs = is_pair & (samples < 0)
    own = pairs & is_own
    lag = int((ends[own] - places[own]).min()) if own.any() else 0
    sampled = is_own & ~is_pair & (samples >= 0)
    halves = _spread_out(samples[sampled], places[sampled], values[sampled], steps)
    # Those of the checkpoints come first: a window may hold the same pair once more.
    order = np.argsort(~is_own[pairs], kind="stable")
    return Curve(
        steps, values[single][first], halves, _find_members(steps, places[own], ends[own] - lag),
        _find_runs(ends[pairs][order], values[pairs][order], lag),
    )  # fmt: skip


def _spread_out(samples: np.ndarray, places: np.ndarray, values: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """(B, n) values of samples by step, for the samples that have a value at every step."""
    kept = np.isin(places, steps) & ~np.isnan(values)
    numbers, row = np.unique(samples[kept], return_inverse=True)
    sums, counts = np.zeros((2, len(numbers), len(steps)))
    at = row, np.searchsorted(steps, places[kept])
    np.add.at(sums, at, values[kept])
    np.add.at(counts, at, 1)
    whole = (counts > 0).all(axis=1)
    return np.asarray(sums[whole] / counts[whole])


def _find_members(steps: np.ndarray, places: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, ...]:
    order = np.lexsort((starts, places))
    bounds = [np.searchsorted(places[order], steps, side) for side in ("left", "right")]
    return tuple(
        starts[order][first:last] if last > first else np.array([step])
        for step, first, last in zip(steps, *bounds, strict=True)
    )


def _find_runs(ends: np.ndarray, values: np.ndarray, lag: int) -> tuple[Series, ...]:
    """Single pairs in stretches, each beginning where the one before it ends."""
    ends, first = np.unique(ends[values > 0], return_index=True)
    starts, values = ends - lag, values[values > 0][first]
    breaks = np.flatnonzero(np.diff(starts) != lag) + 1
    return tuple(zip(np.split(starts, breaks), np.split(values, breaks), strict=True)) if len(starts) else ()


def read_velocity(table: pd.DataFrame, dimension: int, layer: str) -> Curve:
    """Velocity at constant lag with its step noise, where anything moved."""
    curve = read_curve(table, "velocity", dimension, layer)
    spreads = read_curve(table, "step_noise", dimension, layer).values
    if len(spreads):
        repeats = len(select(table, "velocity", dimension, layer, part="pair")) / max(1, len(curve))
        curve = replace(curve, noise=math.sqrt(float((spreads**2).mean()) / repeats))
    return curve.keep(curve.values > 0)


def read_pair_rate(table: pd.DataFrame, dimension: int, layer: str) -> Curve | None:
    """The learning rate by which the pairs of each velocity moved, averaged like them; None if it is not known."""
    rates = select_curve(table, "learning_rate", layer="")
    pairs = select(table, ("velocity", f"{WINDOW}velocity"), dimension, layer, part="pair")
    if rates.empty or pairs.empty:
        return None
    lag = int((pairs.pair_step - pairs.step).min())
    # A pair from s to s + lag is the work of steps s, ..., s + lag - 1.
    moved_by = np.add.outer(pairs.pair_step.to_numpy(float) - lag, np.arange(lag))
    each = pairs.assign(value=np.interp(moved_by, rates.step.to_numpy(float), rates.value.to_numpy(float)).mean(axis=1))
    averaged = each[each.quantity == "velocity"].groupby("step", as_index=False).value.mean().assign(
        pair_step=-1, quantity="velocity", dimension=dimension, layer=layer, sample=-1
    )  # fmt: skip
    return read_curve(pd.concat([each, averaged]), "velocity", dimension, layer)


def read_points(table: pd.DataFrame, layer: str) -> int | None:
    """Points of a cloud, which every excess hangs on; None if the table does not say."""
    values = select(table, "points", layer=layer).value
    return None if values.empty else int(values.iloc[0])


def read_learning_rate(table: pd.DataFrame, steps: np.ndarray) -> np.ndarray | None:
    """The learning rate of the step after each checkpoint; None if it is not in the table."""
    rows = select_curve(table, "learning_rate", layer="")
    if rows.empty:
        return None
    return np.interp(steps, rows.step.to_numpy(), rows.value.to_numpy())
