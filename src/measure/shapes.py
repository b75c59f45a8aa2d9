"""From clouds on disk to what homology sees of them, kept on disk."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..clouds.prepare import prepare_points
from ..clouds.store import read_clouds
from ..config import RequestError, TdaConfig
from ..rundir import RunDirectory, replacing
from ..topology.distances import METRICS, median_distance, pairwise_distances
from ..topology.homology import Transformer, apply_transformer, compute_diagram


@dataclass(frozen=True)
class Shape:
    """What homology sees of one layer at one step."""

    diagram: np.ndarray
    """(n_bars, 3) in the units of the activations"""
    scale: float
    """median pairwise distance; 0 if all points coincide"""
    explained: float = 1.0
    """share of the cloud's variance in the components that homology sees"""

    @property
    def scaled(self) -> np.ndarray:
        """The shape diagram: lengths in units of the cloud's own scale."""
        return self.diagram * [1 / self.scale, 1 / self.scale, 1.0]


def load_shapes(source: RunDirectory, run: RunDirectory, step: int, tda: TdaConfig) -> dict[str, Shape]:
    """Diagrams and scales of every layer at a step, computed and stored where they are not yet.

    Args:
        source: holds the clouds.
        run: holds the diagrams.
    """
    path = run.diagrams(step)
    if not path.exists():
        shapes = compute_shapes(source, step, source.clouds(step), tda)
        with replacing(path) as partial:
            arrays = {f"{layer}.diagram": shape.diagram for layer, shape in shapes.items()}
            arrays |= {f"{layer}.scale": np.array(shape.scale) for layer, shape in shapes.items()}
            arrays |= {f"{layer}.explained": np.array(shape.explained) for layer, shape in shapes.items()}
            np.savez_compressed(partial, **arrays)
        return shapes
    return read_shapes(path)


def read_shapes(path: Path) -> dict[str, Shape]:
    """Shapes of every layer from one file of diagrams."""
    with np.load(path) as stored:
        layers = sorted({name.partition(".")[0] for name in stored.files})
        return {
            name: Shape(stored[f"{name}.diagram"], float(stored[f"{name}.scale"]), float(stored[f"{name}.explained"]))
            for name in layers
        }


def compute_shapes(source: RunDirectory, step: int, path: Path, tda: TdaConfig) -> dict[str, Shape]:
    """Shapes of every layer of one file of clouds.

    Raises:
        ValueError: if a cloud has values that are not finite, naming step, layer and point.
    """
    transformer = build_transformer(tda)
    base = read_clouds(source.clouds(0))
    shapes = {}
    for layer, cloud in read_clouds(path).items():
        try:
            shapes[layer] = compute_shape(cloud, base[layer], tda, transformer)
        except ValueError as error:
            raise ValueError(f"step {step}, {layer}: {error}") from error
    return shapes


def compute_shape(cloud: np.ndarray, base: np.ndarray, tda: TdaConfig, transformer: Transformer) -> Shape:
    """Diagram and scale of one (N, D) cloud; `base` is the same layer at step 0."""
    points, explained = prepare_points(cloud, base, metric=tda.metric, points=tda.points, components=tda.components)
    distances = pairwise_distances(points, tda.metric if tda.metric in METRICS else "euclidean")
    if tda.is_plain_rips and tda.engine != "giotto":
        diagram = compute_diagram(distances, max(tda.dimensions), metric="precomputed", engine=tda.engine)
        diagram = diagram[np.isin(diagram[:, 2], tda.dimensions)]
    else:
        diagram = apply_transformer(transformer, distances if tda.takes_distances else points)
    return Shape(diagram, median_distance(distances), explained)


def build_transformer(tda: TdaConfig) -> Transformer:
    """The giotto-tda transformer that the configuration names."""
    from hydra.utils import instantiate

    transformer: Transformer = instantiate(tda.transformer, _convert_="all")
    return transformer


def check_transformer(tda: TdaConfig) -> None:
    """Make the transformer and try it on a few points: what it refuses is better known now than by the first worker.

    Raises:
        RequestError: if there is no such class, it does not take such parameters, or it makes no diagrams.
    """
    width = max(3, tda.components or 0)
    points = np.random.default_rng(0).normal(size=(16 + width, width))
    few = replace(tda, points=None)
    try:
        compute_shape(points, points, few, build_transformer(few))
    except Exception as error:  # whatever a user's own class raises
        target = (tda.transformer or {}).get("_target_")
        reason = str(error.__cause__ or error).strip().splitlines()[0].rstrip(":")
        raise RequestError(
            f"tda.transformer._target_={target}: makes no diagram with these parameters ({reason[:200]})"
        ) from error
