"""From clouds on disk to what homology sees of them, kept on disk."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from ..clouds.prepare import NotFiniteError, find_sinks
from ..clouds.store import cloud_size, read_cloud
from ..config import TdaConfig
from ..config.memory import memory_shortage
from ..geometry import intrinsic_dimension
from ..rundir import RunDirectory
from ..system.files import DamagedError, check_file, replacing, set_aside
from .prepared_cloud import find_diagram, prepare_cloud


@dataclass(frozen=True)
class LayerDiagram:
    """The diagram of one layer at one step, and the scale that its lengths are divided by."""

    diagram: np.ndarray
    """(n_bars, 3) in the units of the activations"""
    scale: float
    """median pairwise distance; 0 if all points coincide, NaN if an activation is not finite and there is no diagram"""
    explained: float = 1.0
    """share of the cloud's variance in the components that homology sees"""
    sinks: float = 0.0
    """points far outside at this step, whether or not they are left out"""
    equal_points: float = 0.0
    """points at distance 0 from an earlier one"""
    intrinsic_dimension: float = math.nan
    """of the points as homology sees them"""

    @property
    def is_defined(self) -> bool:
        """Whether all activations that it is of are finite."""
        return not math.isnan(self.scale)

    @property
    def has_shape(self) -> bool:
        """Whether there are lengths to draw: not of points in one place."""
        return self.scale > 0

    @property
    def normalized(self) -> np.ndarray:
        """The shape diagram: lengths in units of the cloud's own scale."""
        return self.diagram * [1 / self.scale, 1 / self.scale, 1.0]


def store_layer_diagram(source: RunDirectory, run: RunDirectory, step: int, layer: str, tda: TdaConfig) -> None:
    """Compute one layer's shape at a step and store it as a part, unless it is there already.

    Of activations that are not finite that is stored: the other layers go on.

    Args:
        source: holds the clouds.
        run: gets the diagrams.

    Raises:
        ValueError: if the cloud is too large, naming step and layer.
    """
    part = run.layer_diagram(step, layer)
    if not (part.exists() or run.diagrams(step).exists()):
        try:
            shape = layer_diagram_of_file(source, source.clouds(step), layer, tda, label=f"step {step}, {layer}")
        except NotFiniteError:
            shape = LayerDiagram(np.empty((0, 3)), math.nan)
        with replacing(part) as partial:
            np.savez(partial, **vars(shape))


def merge_layer_diagrams(run: RunDirectory, step: int, layers: Sequence[str]) -> None:
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


def discard_damaged(run: RunDirectory, step: int) -> None:
    """Set aside diagrams of an earlier start that are not whole; parts that it left, killed before or after they were
    joined, are gone."""
    path = run.diagrams(step)
    if path.exists():
        try:
            check_file(path)
        except DamagedError as error:
            set_aside(path, error.reason)
    shutil.rmtree(run.layer_diagram(step, "").parent, ignore_errors=True)


def read_layer_diagrams(path: Path, layers: Sequence[str] | None = None) -> dict[str, LayerDiagram]:
    """Shapes from one file of diagrams, of every layer or of those named.

    Raises:
        DamagedError: if the file is not what was written.
    """
    check_file(path)
    with np.load(path) as stored:
        names = layers or sorted({name.partition(".")[0] for name in stored.files})
        return {name: _read_layer_diagram(stored, name) for name in names}


def _read_layer_diagram(stored: Mapping[str, np.ndarray], layer: str) -> LayerDiagram:
    numbers = {
        item.name: stored[f"{layer}.{item.name}"].item() for item in fields(LayerDiagram) if item.name != "diagram"
    }
    return LayerDiagram(stored[f"{layer}.diagram"], **numbers)


def layer_diagram_of_file(source: RunDirectory, path: Path, layer: str, tda: TdaConfig, *, label: str) -> LayerDiagram:
    """The shape of one layer of a file of clouds; `label` is what an error calls it.

    Raises:
        NotFiniteError: if the cloud, or that of step 0, has values that are not finite.
        ValueError: if its diagram may take more memory than allowed.
    """
    try:
        for problem in memory_shortage(tda, *cloud_size(path, layer)):
            raise ValueError(problem)
        cloud, base = (read_cloud(file, layer) for file in (path, source.clouds(0)))
        return compute_layer_diagram(cloud, base, tda)
    except ValueError as error:
        raise type(error)(f"{label}: {error}") from error


def compute_layer_diagram(cloud: np.ndarray, base: np.ndarray, tda: TdaConfig) -> LayerDiagram:
    """Diagram and scale of one (N, D) cloud; `base` is the same layer at step 0."""
    view = prepare_cloud(cloud, base, tda)
    diagram, distances = find_diagram(view.distances, view.points, tda), view.distances
    sinks, equal = find_sinks(cloud[: tda.points]).sum(), np.tril(distances == 0, -1).any(axis=1).sum()
    straight = np.sqrt(2 * distances) if tda.metric == "cosine" else distances  # the chord on the unit sphere
    return LayerDiagram(diagram, view.scale, view.explained, float(sinks), float(equal), intrinsic_dimension(straight))
