"""The last thing a worker process does about one checkpoint: write its numbers, then draw it."""

from __future__ import annotations

from .figures.picture import draw_png
from .figures.run import choose_shown, draw_diagrams
from .measure.checkpoint import Job, Measurement, write_checkpoint
from .measure.shapes import read_shapes
from .measure.table import Row
from .rundir import replacing


def finish(job: Job, rows: list[Row], seconds: float) -> Measurement:
    """Metrics of the checkpoint, and the picture of its diagrams, in its directory."""
    measured = write_checkpoint(job, rows, seconds)
    shapes = {layer: shape.scaled for layer, shape in read_shapes(job.run.diagrams(job.step)).items() if shape.scale}
    if shapes:
        figures = draw_diagrams({job.step: shapes}, choose_shown(list(shapes)), job.tda.dimensions)
        with replacing(job.run.picture(job.step)) as partial:
            partial.write_bytes(draw_png(figures[job.step]))
    return measured
