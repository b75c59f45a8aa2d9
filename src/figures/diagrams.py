"""Persistence diagrams to leaf through in a page: any run, any layer, a slider over the steps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from .page import Section, data_script, read_asset

Diagrams = Mapping[int, Mapping[str, np.ndarray]]
"""Step -> layer -> shape diagram (n_bars, 3)."""
MAX_BARS = 80
"""Longest bars of each dimension that are drawn of one diagram."""
MAX_STEPS = 12
BUDGET = 2400
"""Diagrams in one page, of all runs together: about 5 MB."""
FINENESS = 10_000
"""Lengths are kept as whole numbers of the scale over this."""
SCRIPT = "diagrams.js"


def choose_steps(steps: list[int], runs: int, layers: int) -> list[int]:
    """The first, the last and evenly chosen checkpoints between, as many as a page holds."""
    count = min(len(steps), MAX_STEPS, max(2, BUDGET // max(1, runs * layers)))
    places = np.unique(np.linspace(0, len(steps) - 1, count).round().astype(int))
    return [steps[place] for place in places]


def show_diagrams(by_run: Mapping[str, Diagrams], notes: str) -> Section:
    """A section with choices of run and layer and a slider over the steps; read_asset(SCRIPT) brings it to life.

    Args:
        by_run: name of the run -> its diagrams, the same layers at every step.
        notes: which runs and steps were chosen.
    """
    dimensions = sorted(
        {int(k) for d in by_run.values() for layers in d.values() for x in layers.values() for k in x[:, 2]}
    )
    runs = [_pack(name, diagrams, dimensions) for name, diagrams in by_run.items()]
    data = json.dumps({"dimensions": dimensions, "fineness": FINENESS, "runs": runs}, separators=(",", ":"))
    body = (
        '<div class="choices"><label>run <select id="diagram-run"></select></label>'
        '<label>layer <select id="diagram-layer"></select></label>'
        '<label>step <input id="diagram-step" type="range" min="0" value="0">'
        '<output id="diagram-shown"></output></label></div>'
        f'<div id="diagram"></div>{data_script(data, "diagram-data")}'
    )
    message = (
        f"Lengths in units of each cloud's own scale; of each dimension the {MAX_BARS} longest bars: what "
        f"lies nearest the diagonal is left out. {notes}"
    )
    return Section("diagrams", "Persistence diagrams", message, body)


def _pack(name: str, diagrams: Diagrams, dimensions: list[int]) -> dict[str, Any]:
    """Bars as whole numbers, births and deaths in turn: layer -> step -> dimension."""
    layers = list(next(iter(diagrams.values())))
    bars = [[[_longest(at[layer], k) for k in dimensions] for at in diagrams.values()] for layer in layers]
    return {"name": name, "layers": layers, "steps": list(diagrams), "bars": bars}


def _longest(diagram: np.ndarray, dimension: int) -> list[int]:
    bars = diagram[diagram[:, 2] == dimension, :2]
    kept = bars[np.argsort(bars[:, 0] - bars[:, 1], kind="stable")[:MAX_BARS]]
    numbers: list[int] = (kept * FINENESS).round().astype(int).ravel().tolist()
    return numbers


def diagrams_script() -> str:
    return read_asset(SCRIPT)
