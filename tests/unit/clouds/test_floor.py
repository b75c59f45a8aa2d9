"""What arithmetic adds to a movement, and noise like it."""

from __future__ import annotations

import numpy as np
import pytest

from src.clouds.floor import REFERENCE_PROBES, draw_error, movement_error, reference_rows


@pytest.mark.parametrize(("probes", "captured"), [(256, REFERENCE_PROBES), (33, REFERENCE_PROBES), (6, 6)])
def test_some_probes_are_captured_twice_from_the_first_to_the_last(probes: int, captured: int) -> None:
    rows = reference_rows(probes)
    assert len(rows) == len(set(rows)) == captured
    assert (rows[0], rows[-1]) == (0, probes - 1)


def test_the_error_is_what_the_captured_movement_has_beyond_the_finer_one() -> None:
    rng = np.random.default_rng(0)
    before, moved = rng.normal(size=(2, 100, 8)).astype(np.float32)
    rows = reference_rows(100)
    references = before[rows], (before + moved)[rows]
    assert np.abs(movement_error((before, before + moved), references)).max() == 0
    off = movement_error((before, before + moved + 0.01), references)
    lengths = np.linalg.norm(before[rows], axis=1, keepdims=True)
    assert np.allclose(off * lengths, 0.01, atol=1e-6), "relative to the length of the activation"


def test_noise_has_the_size_and_the_covariance_of_the_error() -> None:
    rng = np.random.default_rng(0)
    error = rng.normal(size=(32, 4)) * [1, 2, 0, 4]
    cloud = rng.normal(size=(20_000, 4)).astype(np.float32)
    drawn = draw_error(cloud, error, rng) / np.linalg.norm(cloud, axis=1, keepdims=True)
    assert np.allclose(drawn.T @ drawn / len(drawn), error.T @ error / len(error), atol=0.4)
    assert not drawn[:, 2].any()
