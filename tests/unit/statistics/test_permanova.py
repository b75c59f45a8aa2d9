"""Distances between groups against the analysis of variance."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import f_oneway

from src.statistics.permanova import permanova, permdisp


@pytest.mark.parametrize("sizes", [[3, 3, 3], [4, 6]])
def test_in_one_dimension_permanova_is_the_analysis_of_variance_and_permdisp_levenes_test(sizes: list[int]) -> None:
    x = np.random.default_rng(1).normal(size=sum(sizes))
    labels = np.repeat(np.arange(len(sizes)), sizes)
    parts = [x[labels == group] for group in range(len(sizes))]
    found = permanova(x[:, None], labels)
    assert found.f == pytest.approx(f_oneway(*parts).statistic)
    assert found.r2 == pytest.approx(1 - sum(part.var() * len(part) for part in parts) / (x.var() * len(x)))
    far = [np.abs(part - part.mean()) * math.sqrt(len(part) / (len(part) - 1)) for part in parts]
    assert permdisp(x[:, None], labels).f == pytest.approx(f_oneway(*far).statistic)


def test_the_pseudo_f_of_many_dimensions_is_that_of_the_summed_squares() -> None:
    x = np.random.default_rng(2).normal(size=(8, 5))
    between = 4 * sum(((x[part].mean(axis=0) - x.mean(axis=0)) ** 2).sum() for part in (slice(4), slice(4, 8)))
    whole = ((x - x.mean(axis=0)) ** 2).sum()
    assert permanova(x, np.repeat([0, 1], 4)).f == pytest.approx(between / ((whole - between) / 6))
