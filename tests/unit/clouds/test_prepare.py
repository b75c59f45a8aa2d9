"""Clouds made ready to be measured: projected, standardized, cut; always by what step 0 says."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from src.clouds.prepare import prepare_points


def test_standardized_points_use_the_statistics_of_step_0() -> None:
    rng = np.random.default_rng(0)
    base = rng.normal(size=(50, 4)) * [1, 10, 100, 0]
    assert np.allclose(prepare_points(base, base, metric="standardized", points=None)[0].std(0), [1, 1, 1, 0])
    moved, _ = prepare_points(3 * base, base, metric="standardized", points=20)
    assert moved.shape == (20, 4)
    assert np.array_equal(prepare_points(base, base, metric="euclidean", points=20)[0], base[:20])


def test_the_projection_is_fitted_on_step_0_and_frozen() -> None:
    rng = np.random.default_rng(0)
    base, moved = rng.normal(size=(2, 50, 12)) * np.arange(12, 0, -1)
    here, explained = prepare_points(base, base, metric="euclidean", points=None, components=3)
    pca = PCA(3).fit(base)
    assert np.allclose(np.abs(here), np.abs(pca.transform(base)))
    assert np.isclose(explained, pca.explained_variance_ratio_.sum())
    later, less = prepare_points(moved, base, metric="euclidean", points=None, components=3)
    assert np.allclose(np.abs(later), np.abs(pca.transform(moved)))
    assert less < explained
    with pytest.raises(ValueError, match="components=13"):
        prepare_points(base, base, metric="euclidean", points=None, components=13)
