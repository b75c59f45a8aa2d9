"""What a finished run leaves in MLflow beside its numbers: configuration, table, diagrams, figures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from ..config import SECOND_METRIC, Config
from ..config.schedule import Schedule
from ..figures.interactive import make_page
from ..figures.motion import draw_excess, draw_movement, draw_speed
from ..figures.panels import Figure
from ..figures.picture import draw_png
from ..figures.run import choose_shown, draw_betti, draw_diagrams, draw_drift, draw_velocity
from ..figures.zigzag import draw_zigzag
from ..measure.layer_diagrams import read_layer_diagrams
from ..measure.zigzag import LayerImages
from ..metrics.selection import is_measured
from ..rundir import RunDirectory
from ..rundir.naming import run_name
from ..system.files import write_page
from ..tracking.tracker import Tracker

DrawnFigure = Figure | Mapping[int, Figure]
"""A figure, or one for each step."""


def log_artifacts(
    tracker: Tracker, run: RunDirectory, config: Config, schedule: Schedule, table: pd.DataFrame
) -> None:  # fmt: skip
    """Upload configuration, table and diagrams; draw and upload the figures of the whole run."""
    for path in (run.config, run.table):
        tracker.log_artifact(path)
    for each, folder in ((run, "diagrams"), (run.with_metric(SECOND_METRIC), f"{SECOND_METRIC}/diagrams")):
        for step in schedule.checkpoints:
            if each.diagrams(step).exists():
                tracker.log_artifact(each.diagrams(step), f"{folder}/{each.step(step).name}")
    for step in schedule.checkpoints:
        if run.zigzag(step).exists():
            tracker.log_artifact(run.zigzag(step), f"zigzag/{run.step(step).name}")
    for path in draw_run(run, config, schedule, table):
        tracker.log_artifact(path, "figures")


def draw_run(run: RunDirectory, config: Config, schedule: Schedule, table: pd.DataFrame) -> list[Path]:
    """The files of the figures of the whole run, as PNG and as one interactive page; none if nothing has a shape."""
    drawn = figures_of_run(run, config, schedule, table)
    if not drawn:
        return []
    run.figures.mkdir(exist_ok=True)
    for figure in drawn:
        if isinstance(figure, Figure):
            (run.figures / f"{figure.name}.png").write_bytes(draw_png(figure))
    write_page(run.figures / "figures.html", make_page(run_name(config), drawn))
    return sorted(run.figures.iterdir())


def figures_of_run(run: RunDirectory, config: Config, schedule: Schedule, table: pd.DataFrame) -> list[DrawnFigure]:
    """The figures of the whole run, at last the diagrams by step; none if nothing has a shape."""
    done = [step for step in schedule.checkpoints if run.metrics(step).exists()]
    stored = {step: read_layer_diagrams(run.diagrams(step)) for step in done}
    # A cloud in one place has no shape to draw; a layer is drawn where it has one throughout.
    layers = [n for n in next(iter(stored.values()), {}) if all(shapes[n].has_shape for shapes in stored.values())]
    if not layers:
        return []
    diagrams = {step: {name: shapes[name].normalized for name in layers} for step, shapes in stored.items()}
    shown, dimensions = choose_shown(layers), config.tda.dimensions
    figures = [
        draw_speed(table, dimensions),
        *([draw_excess(table, dimensions)] if is_measured(table, "excess") else []),
        *([draw_movement(table)] if is_measured(table, "rigid_share") else []),
        *([draw_velocity(table, dimensions)] if is_measured(table, "velocity") else []),
        draw_drift(table, dimensions),
        draw_betti(diagrams, shown, dimensions),
    ]
    images = {step: LayerImages.read(run.zigzag(step)) for step in done if run.zigzag(step).exists()}
    if images:
        last = images[max(images)]
        figures.append(draw_zigzag(table, last.layers, last.images))
    return [*figures, draw_diagrams(diagrams, shown, dimensions)]
