"""Čech persistence in few dimensions, with the interface of giotto-tda's transformers.

giotto-tda 0.6.2's own `EuclideanCechPersistence` reports bars that are not there: of 6 random points in space without a
loop it makes five H1 bars, the longest a third of the cloud's radius (a test keeps the case). By the nerve theorem the
alpha complex, which lives on the Delaunay triangulation, has the same persistence as the Čech complex, and its exact
code in GUDHI is faster by orders of magnitude (Edelsbrunner and Harer, Computational Topology, III.4).
"""

from __future__ import annotations

from collections.abc import Sequence

import gudhi
import numpy as np


class CechPersistence:
    """Bars in radii of the balls around the points: a loop is born when its balls touch and dies when they fill it.

    Args:
        homology_dimensions: those wanted.
        coeff: prime p of the field Z/p.
    """

    def __init__(self, homology_dimensions: Sequence[int] = (0, 1), coeff: int = 2) -> None:
        self.homology_dimensions, self.coeff = tuple(homology_dimensions), coeff

    def fit_transform(self, x: np.ndarray) -> np.ndarray:
        """(1, N, D) points to a (1, n_bars, 3) diagram; the one endless bar of H0 is left out.

        Raises:
            ValueError: if the points are too many-dimensional for a Delaunay triangulation.
        """
        points = np.asarray(x, dtype=np.float64)[0]
        if points.shape[1] > 8 or points.shape[1] >= len(points):
            raise ValueError(
                f"{len(points)} points in {points.shape[1]} dimensions: a Delaunay triangulation needs at most 8 "
                "dimensions and more points than these; set tda.components=3"
            )
        tree = gudhi.AlphaComplex(points=points).create_simplex_tree()
        tree.compute_persistence(homology_coeff_field=self.coeff)
        rows = []
        for dimension in self.homology_dimensions:
            bars = np.sqrt(tree.persistence_intervals_in_dimension(dimension).reshape(-1, 2))  # squared radii
            rows.append(np.column_stack([bars, np.full(len(bars), dimension)]))
        diagram = np.concatenate(rows)
        return diagram[np.isfinite(diagram[:, 1])][None]
