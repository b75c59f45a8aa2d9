"""What homology sees of a cloud: its points after preparation, their distances, and the diagram of any of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..clouds.prepare import prepare_points
from ..config import RequestError, TdaConfig
from ..topology.distances import METRICS, median_distance, pairwise_distances
from ..topology.homology import apply_transformer, compute_diagram
from .transformer import build_transformer


@dataclass(frozen=True)
class PreparedCloud:
    points: np.ndarray
    """(N, D) float64"""
    distances: np.ndarray
    """(N, N) float64"""
    scale: float
    """median pairwise distance; 0 if all points coincide"""
    explained: float = 1.0
    """share of the cloud's variance that is in the points"""

    def subset(self, rows: np.ndarray, tda: TdaConfig) -> PreparedCloud:
        """Some of the points: their distances, and themselves where the method takes points."""
        distances = self.distances[np.ix_(rows, rows)]
        return PreparedCloud(
            self.points[rows[:0] if tda.takes_distances else rows], distances, median_distance(distances)
        )


def prepare_cloud(cloud: np.ndarray, base: np.ndarray, tda: TdaConfig) -> PreparedCloud:
    """What homology sees of one (N, D) cloud; `base` is the same layer at step 0.

    Raises:
        ValueError: if an activation is not finite, naming the prompt.
    """
    points, explained = prepare_points(
        cloud, base, metric=tda.metric, points=tda.points, components=tda.components, drop_sinks=tda.drop_sinks
    )
    distances = pairwise_distances(points, tda.metric if tda.metric in METRICS else "euclidean")
    if tda.metric == "cosine":  # an angle sees the unit sphere; movement is compared there
        points = points / np.linalg.norm(points, axis=1, keepdims=True)
    return PreparedCloud(points, distances, median_distance(distances), explained)


def find_diagram(distances: np.ndarray, points: np.ndarray, tda: TdaConfig) -> np.ndarray:
    """The diagram of one cloud by the configured method.

    Args:
        distances: (N, N).
        points: (N, D), needed only by a method that takes points.
    """
    if tda.is_plain_rips and tda.engine != "giotto":  # which is done by giotto-tda's own class
        diagram = compute_diagram(distances, max(tda.dimensions), metric="precomputed", engine=tda.engine)
        return np.asarray(diagram[np.isin(diagram[:, 2], tda.dimensions)])
    return apply_transformer(build_transformer(tda), distances if tda.takes_distances else points)


def normalized_diagram(view: PreparedCloud, tda: TdaConfig) -> np.ndarray | None:
    """`find_diagram` in units of the cloud's own scale; None where that is 0."""
    if not view.scale:
        return None
    return find_diagram(view.distances, view.points, tda) * [1 / view.scale, 1 / view.scale, 1.0]


def check_transformer(tda: TdaConfig, rows: int) -> None:
    """Make the transformer and try it on a few points: what it refuses is better known now than by the first worker.

    Args:
        rows: probes captured; no diagram is tried with more points than the smallest one of the run has.

    Raises:
        RequestError: if there is no such class, it does not take such parameters, or it makes no diagrams.
    """
    width = max(3, tda.components or 0)
    usable = tda.count_points(rows)
    smallest = usable // 2 if tda.subsamples else usable  # intervals come from halves
    count = min(16 + width, smallest)
    points = np.random.default_rng(0).normal(size=(max(count, width), width))
    few = replace(tda, points=None)
    try:
        view = prepare_cloud(points, points, few)
        find_diagram(view.distances[:count, :count], view.points[:count], few)
    except RequestError:
        raise
    except Exception as error:  # whatever a user's own class raises
        target = (tda.transformer or {}).get("_target_")
        reason = str(error.__cause__ or error).strip().splitlines()[0].rstrip(":")
        half = (
            f"; a random half of {usable} has no more, see tda.subsamples" if smallest < min(usable, 16 + width) else ""
        )
        raise RequestError(
            f"tda.transformer._target_={target}: makes no diagram of {count} points with these parameters "
            f"({reason[:200]}){half}"
        ) from error
