"""One layer at the two steps of a pair: how it moved, as a whole and on some of its rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..config import TdaConfig
from ..geometry import (
    coordinates,
    displacement,
    distance_change,
    joint_coordinates,
    nonrigid_movement,
    project_to_row_space,
    rigid_fraction,
)
from .prepared_cloud import PreparedCloud


@dataclass(frozen=True)
class Pair:
    """A cloud of N points and where they went, in `joint_coordinates`: no wider than twice the points."""

    start: np.ndarray
    """(N, r) fills the cloud's row space; its other coordinates, up to q, are 0"""
    end: np.ndarray
    """(N, q)"""
    end_alone: np.ndarray
    """(N, r) the same points in a basis of their own"""
    before: PreparedCloud
    after: PreparedCloud

    @classmethod
    def of(cls, before: PreparedCloud, after: PreparedCloud) -> Pair:
        start, end = joint_coordinates(before.points, after.points)
        return cls(start, end, coordinates(end), before, after)

    def subset(self, rows: np.ndarray, before: PreparedCloud, after: PreparedCloud) -> Pair:
        """Some of the points, prepared; the whole cloud's bases serve its parts."""
        return Pair(self.start[rows], self.end[rows], self.end_alone[rows], before, after)

    @cached_property
    def filled(self) -> np.ndarray:
        """(N, q) the start with the coordinates that are 0"""
        return np.pad(self.start, ((0, 0), (0, self.end.shape[1] - self.start.shape[1])))

    def displacement(self, lag: int) -> float:
        return displacement(self.filled, self.end, lag)

    @cached_property
    def rigid_fraction(self) -> float:
        return rigid_fraction(self.start, self.end_alone, float(((self.end - self.filled) ** 2).sum()))

    @cached_property
    def distance_change(self) -> float:
        return change_between(self.before, self.after)


@dataclass(frozen=True)
class Movement:
    """What random movements are drawn from: N points at the start of a pair, and how they moved."""

    cloud: PreparedCloud
    base: np.ndarray
    """(N, r) the points, in the coordinates of the movement; r <= q"""
    seen: np.ndarray
    """(N, q) their movement that some distance sees"""
    change: float
    """their distance change"""

    @classmethod
    def of(cls, pair: Pair, tda: TdaConfig) -> Movement:
        seen, base = nonrigid_movement(pair.start, pair.end, pair.before.points.shape[1]), pair.start
        if seen.shape[1] > len(seen) and tda.takes_distances:
            seen, base = project_to_row_space(seen, pair.filled)  # where all draws lie, and half as wide
        return cls(pair.before, base, seen, pair.distance_change)

    def subset(self, rows: np.ndarray, cloud: PreparedCloud, change: float) -> Movement:
        """That of some of the points: the similarity transform of all of them serves its parts."""
        return Movement(cloud, self.base[rows], self.seen[rows], change)


def change_between(before: PreparedCloud, after: PreparedCloud) -> float:
    """Of the distances in units of the cloud's scale; NaN where that is 0."""
    if not (before.scale and after.scale):
        return math.nan
    return distance_change(before.distances / before.scale, after.distances / after.scale)
