"""The last thing a worker process does about one checkpoint: draw it, then write its numbers."""

from __future__ import annotations

from ..figures.picture import draw_png
from ..figures.run import choose_shown, draw_diagrams
from ..measure.checkpoint import Job, Measurement, write_checkpoint
from ..measure.layer_diagrams import read_layer_diagrams
from ..metrics.table import Row
from ..system.files import replacing


def finish_checkpoint(job: Job, rows: list[Row], seconds: float) -> Measurement:
    """The picture of the checkpoint's diagrams and its metrics, in its directory; the metrics last: they say `done`."""
    shapes = {
        layer: shape.normalized
        for layer, shape in read_layer_diagrams(job.run.diagrams(job.at.step)).items()
        if shape.has_shape
    }
    if shapes:
        figures = draw_diagrams({job.at.step: shapes}, choose_shown(list(shapes)), job.tda.dimensions)
        with replacing(job.run.picture(job.at.step)) as partial:
            partial.write_bytes(draw_png(figures[job.at.step]))
    return write_checkpoint(job, rows, seconds)
