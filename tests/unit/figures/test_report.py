"""The page of a comparison stands alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from src.config.commands import CompareConfig
from src.figures.report import Comparison, render_comparison
from src.rundir.naming import directory_of_comparison

NASTY = "<img src=x onerror=alert(1)>$\\no$"
"""A name that a page must not take for markup, nor a picture for mathematics."""
from tests.support.planted import FEW, Planted, compare, plant_run


@pytest.fixture(scope="module")
def page(comparison: Comparison) -> str:
    return render_comparison(comparison).page


def test_the_page_asks_nothing_of_the_outside_and_has_every_part(page: str) -> None:
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=", page)
    sections = re.findall(r'<section id="section-(\w+)">', page)
    assert sections == [
        "verdicts", "claims", "trajectories", "velocity_H1", "velocity_H0", "excess_H1", "excess_H0", "twins_1",
        "against", "diagrams", "findings", "runs",
    ]  # fmt: skip
    assert "OutOfMemoryError: no memory left" in page
    assert len(page) < 8e6


def test_a_name_cannot_become_markup(inside: Path) -> None:
    for seed in range(2):
        plant_run(Planted(NASTY, NASTY, seed, **FEW, local=False), sweep=NASTY)
    reported = compare(sweep=NASTY)
    report, request = render_comparison(reported), CompareConfig(sweep=NASTY)
    assert "<img src=x" not in report.page
    assert re.fullmatch(r"sweep-\w{8}", directory_of_comparison(request).path.name)
