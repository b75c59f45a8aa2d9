"""The diagrams of a page are few."""

from __future__ import annotations

import json
import re

import numpy as np

from src.figures.diagrams import FINENESS, MAX_BARS, choose_steps, show_diagrams


def test_the_diagrams_of_a_page_are_few_and_rounded() -> None:
    steps = list(range(0, 400, 10))
    assert choose_steps(steps, runs=1, layers=6)[::11] == [0, 390]
    assert len(choose_steps(steps, runs=12, layers=9)) == 12
    assert len(choose_steps(steps, runs=48, layers=32)) == 2
    bars = np.column_stack([np.zeros(200), np.linspace(0.001, 1, 200), np.zeros(200)])
    section = show_diagrams({"a": {0: {"layer_01": bars}}}, "")
    packed = json.loads(re.search(r"<script[^>]*>(.*)</script>", section.body)[1])  # type: ignore[index]
    kept = packed["runs"][0]["bars"][0][0][0]
    assert len(kept) == 2 * MAX_BARS
    assert kept[:2] == [0, FINENESS]
