"""What a worker process does about one checkpoint: measure it, then draw it."""

from __future__ import annotations

from .figures.picture import draw_png
from .figures.run import choose_shown, draw_diagrams
from .measure.checkpoint import Job, Measurement, measure_checkpoint
from .measure.shapes import read_shapes
from .rundir import replacing


def work(job: Job) -> Measurement:
    """Metrics and diagrams of the checkpoint, and their picture, in its directory.

    Raises:
        ValueError: if a cloud has values that are not finite, naming step and layer.
    """
    measured = measure_checkpoint(job)
    shapes = {layer: shape.scaled for layer, shape in read_shapes(job.run.diagrams(job.step)).items() if shape.scale}
    if shapes:
        figures = draw_diagrams({job.step: shapes}, choose_shown(list(shapes)), job.tda.dimensions)
        with replacing(job.run.picture(job.step)) as partial:
            partial.write_bytes(draw_png(figures[job.step]))
    return measured
