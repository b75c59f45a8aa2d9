"""The measurement on anybody's arrays: its table, its invariances, what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from src.measure import track
from src.metrics.table import COLUMNS

WIDTH = 6


def clouds(steps: int = 5, points: int = 30, size: float = 0.02, seed: int = 0) -> dict[int, np.ndarray]:
    rng = np.random.default_rng(seed)
    made = {0: rng.normal(size=(points, WIDTH))}
    for step in range(1, steps):
        made[step] = made[step - 1] + size * rng.normal(size=(points, WIDTH))
    return made


def values(table: pd.DataFrame, quantity: str, dimension: int = -1) -> pd.Series:
    default = (table["sample"] == -1) & (table.pair_step == -1)
    return table[default & (table.quantity == quantity) & (table.dimension == dimension)].set_index("step").value


def test_the_table_has_the_columns_and_quantities_of_the_contract() -> None:
    series = clouds(12)
    table = track({step: series[step] for step in (0, 1, 2, 10, 11)}, subsamples=3, null_draws=3)
    assert list(table.columns) == list(COLUMNS)
    named = {
        "drift",
        "velocity",
        "naive_velocity",
        "displacement",
        "rigid_share",
        "distance_change",
        "excess",
        "excess_p",
    }
    assert named <= set(table.quantity)
    assert set(table.step) == {0, 10}, "by default every step that is nobody's pair"
    assert set(values(table, "naive_velocity", 1).index) == {10}
    repeats = table[(table.quantity == "velocity") & (table.dimension == 1) & (table.step == 0)]
    assert sorted(set(repeats.pair_step)) == [-1, 1, 2], "what follows without a gap is a repeat"
    halves = table[(table.quantity == "velocity") & (table["sample"] >= 0)]
    assert set(halves["sample"]) == {0, 1, 2}
    bounded = table[(table.quantity == "velocity") & (table["sample"] == -1) & (table.pair_step == -1)]
    assert (bounded.low < bounded.value).all()
    assert (bounded.value < bounded.high).all()


def test_any_first_step_will_do() -> None:
    series = clouds(3)
    ours = track(series, subsamples=2, null_draws=2)
    later = track({step + 100: cloud for step, cloud in series.items()}, subsamples=2, null_draws=2)
    shifted = ours.assign(step=ours.step + 100, pair_step=np.where(ours.pair_step >= 0, ours.pair_step + 100, -1))
    drawn = shifted.quantity.isin(
        [
            "null_velocity",
            "independent_velocity",
            "null_own_scale_velocity",
            "excess",
            "excess_p",
            "independent_excess",
            "independent_excess_p",
            "excess_own_scale",
            "excess_own_scale_p",
        ]
    )
    pd.testing.assert_frame_equal(
        shifted[~drawn].reset_index(drop=True), later[~drawn.to_numpy()].reset_index(drop=True)
    )


def test_turning_every_cloud_alike_changes_nothing_but_the_last_digits() -> None:
    series = clouds(2)
    turn, _ = np.linalg.qr(np.random.default_rng(9).normal(size=(WIDTH, WIDTH)))
    tables = [track(s, subsamples=0, null_draws=0) for s in (series, {k: 2 * x @ turn + 1 for k, x in series.items()})]
    for k in (0, 1):
        ours, theirs = (float(values(table, "velocity", k)[0]) for table in tables)
        assert ours == pytest.approx(theirs, rel=1e-3)
    ours, theirs = (float(values(table, "distance_change")[0]) for table in tables)
    assert ours == pytest.approx(theirs, rel=1e-6)


def test_movement_by_chance_is_no_excess_and_clusters_that_contract_are() -> None:
    rng = np.random.default_rng(4)
    labels = np.arange(96) // 8
    x = 2 * rng.normal(size=(12, 30))[labels] + rng.normal(size=(96, 30))
    middles = np.stack([x[labels == label].mean(axis=0) for label in range(12)])[labels]
    table = track({0: x, 1: x + 0.01 * rng.normal(size=x.shape)}, subsamples=0)
    assert 0.5 < float(values(table, "excess", 0)[0]) < 1.6
    assert float(values(table, "excess_p", 0)[0]) > 0.01
    table = track({0: x, 1: x + 0.01 * (middles - x)}, subsamples=0)
    assert float(values(table, "excess", 0)[0]) > 2
    assert float(values(table, "excess_p", 0)[0]) < 0.001


def test_a_change_beyond_a_tenth_has_no_null_and_no_silent_number() -> None:
    table = track(clouds(2, size=0.5), subsamples=0)
    assert float(values(table, "distance_change")[0]) > 0.1
    assert not table.quantity.isin(["excess", "excess_p", "null_velocity"]).any()
    assert (table.quantity == "velocity").any()


def test_fewer_draws_are_the_first_of_more() -> None:
    few, many = (track(clouds(2), subsamples=0, null_draws=draws) for draws in (3, 6))
    drawn = [t[(t.quantity == "null_velocity") & (t["sample"].between(0, 2))].value.to_numpy() for t in (few, many)]
    np.testing.assert_array_equal(*drawn)
    other = track(clouds(2), subsamples=0, null_draws=3, seed=1)
    assert not np.array_equal(
        other[other.quantity == "null_velocity"].value, few[few.quantity == "null_velocity"].value
    )


@pytest.mark.parametrize(
    ("series", "words", "message"),
    [
        (clouds(2, points=5), {}, "5 rows: a subsample is half of them and needs 3"),
        ({0: clouds(1)[0], 5: clouds(1)[0]}, {}, "no checkpoint has a cloud 1 step"),
        (clouds(3), {"lag": 7}, "lag=7: no checkpoint has a cloud 7 step"),
        (clouds(3), {"lag": 0}, "lag=0: at least 1"),
        (clouds(3), {"checkpoints": [0, 9]}, r"checkpoints=\[9\]: no cloud"),
        (clouds(3), {"subsamples": 1}, "subsamples=1: one value has no spread"),
        ({0: clouds(1)[0], 1: clouds(1)[0][:20]}, {}, "the same rows at every step"),
        ([clouds(1)[0]] * 2, {}, "clouds is a list; give a dict"),
        ({}, {}, "step of clouds: empty"),
        ({0: clouds(1)[0], 0.5: clouds(1)[0]}, {}, "step of clouds=0.5: not a whole number"),
        ({"0": clouds(1)[0], "1": clouds(1)[0]}, {}, "step of clouds='0': not a whole number"),
        ({-1: clouds(1)[0], 0: clouds(1)[0]}, {}, "step of clouds=-1: at least 0"),
        ({torch.tensor(1): clouds(1)[0], 1: clouds(1)[0]}, {}, "step of clouds: 1 is there twice"),
        ({0: clouds(1)[0], 1: np.full((30, WIDTH), np.nan)}, {}, r"clouds\[1\]: point 0 has a coordinate that is not"),
        ({0: clouds(1)[0], 1: 1j * clouds(1)[0]}, {}, r"clouds\[1\] holds complex numbers"),
        (clouds(3), {"checkpoints": [0, 0]}, "checkpoints: 0 is there twice"),
        (clouds(3), {"checkpoints": [0.0]}, "checkpoints=0.0: not a whole number"),
        (clouds(3), {"checkpoints": 0}, "checkpoints=0: give a list"),
        (clouds(3), {"dimensions": [-1]}, "dimensions=-1: at least 0"),
        (clouds(3), {"dimensions": []}, "dimensions: empty"),
        (clouds(3), {"seed": None}, "seed=None: not a whole number; give one, at least 0"),
        (clouds(3), {"seed": -1}, "seed=-1: at least 0"),
        (clouds(3), {"null_draws": 2.5}, "null_draws=2.5: not a whole number"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_makes_no_series_is_refused(series: Any, words: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        track(series, **words)


@pytest.mark.parametrize("hold", [np.ndarray.tolist, torch.from_numpy, pd.DataFrame, np.asfortranarray])
def test_clouds_are_taken_as_notebooks_hold_them(hold: Callable[[np.ndarray], Any]) -> None:
    held = {np.int64(step): hold(cloud) for step, cloud in clouds(3).items()}
    words = {"subsamples": 2, "null_draws": 2, "dimensions": (0,)}
    table = track(held, checkpoints=np.array([0]), seed=np.int64(0), **words)
    pd.testing.assert_frame_equal(table, track(clouds(3), **words))


@pytest.mark.parametrize("factor", [1e-40, 1e40, 2.0**-130, 1e-300, 1e300])
def test_a_cloud_in_another_unit_has_the_same_excess(factor: float) -> None:
    ours = track(clouds(3), subsamples=4, null_draws=4)
    scaled = track({step: cloud * factor for step, cloud in clouds(3).items()}, subsamples=4, null_draws=4)
    for quantity in ("velocity", "excess", "independent_excess", "displacement", "rigid_share"):
        first, second = (t[t.quantity == quantity].value.to_numpy() for t in (ours, scaled))
        np.testing.assert_allclose(second, first, rtol=1e-3, err_msg=quantity)


def test_a_smooth_movement_is_no_excess_though_independent_points_would_make_it_one() -> None:
    rng = np.random.default_rng(2)
    smooth, independent = [], []
    for seed in range(6):
        x = rng.normal(size=(120, 40)) * np.arange(1, 41) ** -0.5
        field = x @ rng.normal(size=(40, 4)) @ rng.normal(size=(4, 40))
        moved = x + 0.01 * field * np.linalg.norm(x) / np.linalg.norm(field)
        table = track({0: x, 1: moved}, subsamples=0, seed=seed)
        smooth.append(values(table, "excess", 1)[0])
        independent.append(values(table, "independent_excess", 1)[0])
    assert 0.85 < np.mean(smooth) < 1.15
    assert np.mean(independent) < np.mean(smooth)
