"""The cloud of a checkpoint against that of the base, step 0, point by point."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ..geometry import displacement
from ..metrics.table import Row
from ..statistics.paired import paired_energy_p
from ..topology.distances import pairwise_distances
from ..topology.rtd import divergence_bars
from .layer import LayerCheckpoint


def compare_with_base(layer: LayerCheckpoint) -> Iterator[Row]:
    """Topology divergence from the base; at the last checkpoint also how far the points are from it, and whether."""
    at, tda = layer.at, layer.tda
    if tda.measures_rtd(len(layer.clouds[at.step])):
        yield from _divergence(layer)
    if at.is_last and at.step != at.origin:
        before, after = layer.prepared(at.origin).points, layer.prepared(at.step).points
        yield Row(at.step, "base_displacement", displacement(before, after, lag=1), layer.name)
        yield Row(at.step, "base_p", paired_energy_p(pairwise_distances(np.vstack([before, after]))), layer.name)


def _divergence(layer: LayerCheckpoint) -> Iterator[Row]:
    at = layer.at
    base, own = layer.prepared(at.origin), layer.prepared(at.step)
    total = longest = math.nan
    if base.scale and own.scale:
        bars = divergence_bars(base.distances, own.distances, layer.tda.engine)
        total, longest = float(bars.sum()) / 2, float(bars.max(initial=0))
    yield Row(at.step, "rtd", total, layer.name, 1)
    yield Row(at.step, "rtd/max_persistence", longest, layer.name, 1)
