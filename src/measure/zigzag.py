"""All layers of one checkpoint: what goes on from layer to layer, and how far each is from the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from ..metrics.table import LAYER_DISTANCE, ZIGZAG, Row
from ..system.files import check_file, replacing
from ..topology.zigzag import (
    MAX_DIMENSION,
    betti_numbers,
    births_frequency,
    effective_image,
    layer_persistence,
    zigzag_bars,
)
from .layer_diagrams import LayerDiagram
from .shape_change import shape_distance


@dataclass(frozen=True)
class LayerImages:
    """Effective persistence images of one checkpoint."""

    layers: tuple[str, ...]
    images: tuple[np.ndarray, ...]
    """By homology dimension, H0 first; each int64 (layers, layers + 1): first layer of a bar, first that lacks it."""

    @classmethod
    def of_graphs(cls, graphs: Mapping[str, np.ndarray]) -> LayerImages:
        """Of (N, N) neighbourhood graphs of the same points by layer, in their order."""
        bars = zigzag_bars(list(graphs.values()))
        return cls(tuple(graphs), tuple(effective_image(bars, len(graphs), k) for k in range(MAX_DIMENSION + 1)))

    def write(self, path: Path) -> None:
        arrays = {f"H{k}": image for k, image in enumerate(self.images)}
        with replacing(path) as partial:
            np.savez_compressed(partial, layers=np.array(self.layers), **arrays)

    @classmethod
    def read(cls, path: Path) -> LayerImages:
        """Raises DamagedError if the file is not what was written."""
        check_file(path)
        with np.load(path) as stored:
            images = tuple(stored[f"H{k}"] for k in range(MAX_DIMENSION + 1))
            return cls(tuple(map(str, stored["layers"])), images)


def zigzag_rows(step: int, found: LayerImages) -> Iterator[Row]:
    """Births' relative frequency, inter-layer persistence and Betti number of each layer; NaN where there is no bar."""
    for k, image in enumerate(found.images):
        for name, values in (
            ("births", births_frequency(image)),
            ("persistence", layer_persistence(image)),
            ("betti", betti_numbers(image)),
        ):
            for layer, value in zip(found.layers, values, strict=True):
                yield Row(step, f"{ZIGZAG}{name}", float(value), layer, k)


def layer_distances(step: int, diagrams: Mapping[str, LayerDiagram], dimensions: tuple[int, ...]) -> Iterator[Row]:
    """W1 between the shape diagrams of each layer and the next one that is measured, at the earlier of the two."""
    shapes = {name: of.normalized if of.has_shape else None for name, of in diagrams.items()}
    for layer, following in pairwise(shapes):
        for k in dimensions:
            yield Row(step, LAYER_DISTANCE, shape_distance(shapes[layer], shapes[following], k), layer, k)
