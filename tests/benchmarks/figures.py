"""What the figures add to a run: `python -m tests.benchmarks.figures multirun/tiny/helpful/vietoris_rips/seed0`.

Every picture and the page are drawn again, one after the other, and compared with how long the run took. In a run the
pictures are drawn by the workers while training goes on, so that this is an upper bound. Medians of five.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

import pandas as pd

from src.figures.interactive import make_page
from src.figures.picture import draw_png
from src.figures.run import choose_shown, draw_betti, draw_diagrams, draw_drift, draw_velocity
from src.measure.layer_diagrams import read_layer_diagrams
from src.rundir import RunDirectory
from src.rundir.state import load_config


def main(path: str) -> None:
    run = RunDirectory(Path(path))
    dimensions, table = load_config(run).tda.dimensions, pd.read_parquet(run.table)
    steps = sorted(table[table.quantity == "scale"].step.unique())
    shapes = {step: read_layer_diagrams(run.diagrams(step)) for step in steps}
    diagrams = {step: {layer: shape.normalized for layer, shape in found.items()} for step, found in shapes.items()}
    shown = choose_shown(list(next(iter(diagrams.values()))))
    pictures, page = [], []
    for _ in range(5):
        start = time.perf_counter()
        frames = draw_diagrams(diagrams, shown, dimensions)
        for figure in frames.values():
            draw_png(figure)
        pictures.append(time.perf_counter() - start)
        start = time.perf_counter()
        betti = draw_betti(diagrams, shown, dimensions)
        whole = [draw_velocity(table, dimensions), draw_drift(table, dimensions), betti]
        for figure in whole:
            draw_png(figure)
        make_page("benchmark", [*whole, frames])
        page.append(time.perf_counter() - start)
    took = run.status.stat().st_mtime - run.config.stat().st_mtime
    print(f"{len(steps)} checkpoints, the run took {took:.0f} s")
    for name, seconds in (("pictures", statistics.median(pictures)), ("page and its PNGs", statistics.median(page))):
        print(f"{name:>18}  {seconds:6.2f} s  {100 * seconds / took:4.1f} %")


if __name__ == "__main__":
    main(sys.argv[1])
