"""From clouds on disk to what homology sees of them, kept on disk."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from ..clouds.prepare import find_sinks, prepare_points
from ..clouds.store import cloud_size, read_cloud
from ..config import RequestError, TdaConfig
from ..geometry import intrinsic_dimension
from ..memory import cloud_memory_gb, diagram_memory_gb, machine_memory_gb, most_points
from ..resolve import count_workers
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
    sinks: float = 0.0
    """points far outside at this step, whether or not they are left out"""
    equal_points: float = 0.0
    """points at distance 0 from an earlier one"""
    intrinsic_dimension: float = math.nan
    """of the points as homology sees them"""

    @property
    def scaled(self) -> np.ndarray:
        """The shape diagram: lengths in units of the cloud's own scale."""
        return self.diagram * [1 / self.scale, 1 / self.scale, 1.0]


def store_shape(source: RunDirectory, run: RunDirectory, step: int, layer: str, tda: TdaConfig) -> None:
    """Compute one layer's shape at a step and store it as a part, unless it is there already.

    Args:
        source: holds the clouds.
        run: gets the diagrams.

    Raises:
        ValueError: if the cloud has values that are not finite, naming step, layer and prompt, or is too large.
    """
    part = run.layer_diagram(step, layer)
    if not (part.exists() or run.diagrams(step).exists()):
        shape = shape_of_file(source, source.clouds(step), layer, tda, name=f"step {step}, {layer}")
        with replacing(part) as partial:
            np.savez(partial, **vars(shape))


def merge_shapes(run: RunDirectory, step: int, layers: Sequence[str]) -> None:
    """Join the parts of a step into its one file of diagrams, unless it is there already."""
    if run.diagrams(step).exists():
        return
    arrays: dict[str, np.ndarray] = {}
    for layer in layers:
        with np.load(run.layer_diagram(step, layer)) as part:
            arrays |= {f"{layer}.{name}": part[name] for name in part.files}
    with replacing(run.diagrams(step)) as partial:
        np.savez_compressed(partial, **arrays)
    shutil.rmtree(run.layer_diagram(step, layers[0]).parent)


def read_shapes(path: Path, layers: Sequence[str] | None = None) -> dict[str, Shape]:
    """Shapes from one file of diagrams, of every layer or of those named."""
    with np.load(path) as stored:
        names = layers or sorted({name.partition(".")[0] for name in stored.files})
        return {name: _read_shape(stored, name) for name in names}


def _read_shape(stored: Mapping[str, np.ndarray], layer: str) -> Shape:
    numbers = {item.name: stored[f"{layer}.{item.name}"].item() for item in fields(Shape) if item.name != "diagram"}
    return Shape(stored[f"{layer}.diagram"], **numbers)


def shape_of_file(source: RunDirectory, path: Path, layer: str, tda: TdaConfig, *, name: str) -> Shape:
    """The shape of one layer of a file of clouds; `name` is what an error calls it.

    Raises:
        ValueError: if the cloud has values that are not finite, or its diagram may take more memory than allowed.
    """
    try:
        require_memory(tda, *cloud_size(path, layer))
        cloud, base = (read_cloud(file, layer) for file in (path, source.clouds(0)))
        return compute_shape(cloud, base, tda)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def require_memory(tda: TdaConfig, rows: int, width: int) -> None:
    """Raises ValueError if the diagram of a (rows, width) cloud may not fit into a worker's share of the memory."""
    points, top = min(tda.points or rows, rows), tda.costly_dimension
    share = (tda.max_memory_gb or machine_memory_gb() / 2) / count_workers(tda)
    needed = diagram_memory_gb(points, top) + cloud_memory_gb(points, width)
    if needed > share:
        raise ValueError(
            f"{points} points of {width} coordinates with H{top} may take {needed:.2f} GiB, a worker's share of "
            f"tda.max_memory_gb is {share:.2f}; at most {most_points(share, top)} points, or fewer tda.workers"
        )


def compute_shape(cloud: np.ndarray, base: np.ndarray, tda: TdaConfig) -> Shape:
    """Diagram and scale of one (N, D) cloud; `base` is the same layer at step 0."""
    points, explained = prepare_points(
        cloud, base, metric=tda.metric, points=tda.points, components=tda.components, drop_sinks=tda.drop_sinks
    )
    distances = pairwise_distances(points, tda.metric if tda.metric in METRICS else "euclidean")
    if tda.is_plain_rips and tda.engine != "giotto":
        diagram = compute_diagram(distances, max(tda.dimensions), metric="precomputed", engine=tda.engine)
        diagram = diagram[np.isin(diagram[:, 2], tda.dimensions)]
    else:
        diagram = apply_transformer(build_transformer(tda), distances if tda.takes_distances else points)
    sinks, equal = find_sinks(cloud[: tda.points]).sum(), np.tril(distances == 0, -1).any(axis=1).sum()
    straight = np.sqrt(2 * distances) if tda.metric == "cosine" else distances  # the chord on the unit sphere
    return Shape(
        diagram, median_distance(distances), explained, float(sinks), float(equal), intrinsic_dimension(straight)
    )


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
        build_transformer(few)
        compute_shape(points, points, few)
    except Exception as error:  # whatever a user's own class raises
        target = (tda.transformer or {}).get("_target_")
        reason = str(error.__cause__ or error).strip().splitlines()[0].rstrip(":")
        raise RequestError(
            f"tda.transformer._target_={target}: makes no diagram with these parameters ({reason[:200]})"
        ) from error
