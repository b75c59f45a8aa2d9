"""Whether groups of runs are separable: known truths, and what too few runs cannot say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from src.findings import separability
from tests.support.tables import tables_of


def test_objectives_apart_are_separable_whatever_the_order_and_names() -> None:
    rng = np.random.default_rng(3)
    points = np.repeat([[0.0, 0], [3, 0], [0, 3]], 3, axis=0) + 0.3 * rng.normal(size=(9, 2))
    names, seeds = ["helpful"] * 3 + ["harmless"] * 3 + ["mixed"] * 3, [0, 1, 2] * 3
    found = separability(tables_of(points), names, seeds)
    assert found["separability_p"].called
    assert found["separability_p"].value == pytest.approx(1 / 36)
    assert "helpful and mixed are separable" in found["separability_p"].sentence
    assert (
        "36 arrangements, permuted within 3 seeds; the smallest possible p is 0.028" in found["separability_p"].sentence
    )
    assert found["seed_accuracy"].value == 1
    assert found["seed_accuracy_chance"].value == pytest.approx(1 / 3)
    order = rng.permutation(9)
    mixed = separability(*([values[n] for n in order] for values in (tables_of(points), names, seeds)))
    renamed = separability(tables_of(points), [{"helpful": "z"}.get(name, name) for name in names], seeds)
    for name, finding in found.items():
        assert mixed[name].value == pytest.approx(finding.value)
        assert renamed[name].value == pytest.approx(finding.value)


def test_a_seed_is_left_out_with_all_its_runs_and_scaled_by_the_others() -> None:
    points, seeds = np.random.default_rng(1).normal(size=(12, 3)) * [1, 5, 50], np.tile(np.arange(4), 3)
    labels, right = np.repeat(np.arange(3), 4), 0
    for seed in range(4):
        rest = seeds != seed
        z = (points - points[rest].mean(axis=0)) / points[rest].std(axis=0)
        middles = np.stack([z[rest & (labels == group)].mean(axis=0) for group in range(3)])
        for own, label in zip(z[~rest], labels[~rest], strict=True):
            right += int(np.linalg.norm(middles - own, axis=1).argmin() == label)
    found = separability(tables_of(points), [str(label) for label in labels], seeds.tolist())
    assert found["seed_accuracy"].value == right / 12


def test_groups_that_only_spread_differently_are_told_with_a_warning() -> None:
    points = np.concatenate([np.random.default_rng(0).normal(scale=s, size=(6, 6)) for s in (0.1, 8)])
    for seeds in (None, [*range(6)] * 2):
        found = separability(tables_of(points), ["a"] * 6 + ["b"] * 6, seeds)
        assert found["dispersion_p"].called
        assert "spread differently" in found["separability_p"].sentence


def test_seeds_far_apart_hide_nothing_where_each_has_one_run_of_each_group() -> None:
    rng = np.random.default_rng(2)
    names, seeds = ["a"] * 6 + ["b"] * 6, [*range(6)] * 2
    points = np.repeat([0.0, 1], 6)[:, None] + 5 * rng.normal(size=(6, 4))[seeds] + 0.3 * rng.normal(size=(12, 4))
    assert separability(tables_of(points), names, seeds)["separability_p"].value == pytest.approx(1 / 32)
    free = separability(tables_of(points), names)["separability_p"]
    assert not free.called
    assert "permuted freely over 12 runs, because their seeds are not given; " in free.sentence
    broken = separability(tables_of(points[:-1]), names[:-1], seeds[:-1])["separability_p"]
    assert not broken.called
    assert "permuted freely over 11 runs, because b has no run of seed 5; " in broken.sentence
    assert "Differences between seeds count as noise here" in broken.sentence


def test_runs_of_a_seed_that_are_all_alike_are_not_tested() -> None:
    points = np.random.default_rng(0).normal(size=(3, 4))[[0, 1, 2] * 3]
    found = separability(tables_of(points), ["a"] * 3 + ["b"] * 3 + ["c"] * 3, [0, 1, 2] * 3)["separability_p"]
    assert math.isnan(found.value)
    assert "The runs of a seed do not differ" in found.sentence


def test_too_few_seeds_have_no_p_and_say_how_many_are_needed() -> None:
    points = np.repeat([0.0, 100.0], 3)[:, None] + np.random.default_rng(0).normal(size=(6, 2))
    names = ["a"] * 3 + ["b"] * 3
    found = separability(tables_of(points), names, [0, 1, 2] * 2)
    assert math.isnan(found["separability_p"].value)
    assert found.keys() == {"separability_p", "seed_accuracy", "seed_accuracy_chance"}
    assert found["separability_p"].sentence.endswith(
        "a and b have 3 and 3 runs. Permuted within 3 seeds, the labels have 4 arrangements, so that the smallest "
        "possible p is 0.25: a test at 5 % takes 6 seeds with one run of each, and 8 to reach 1 %."
    )
    unknown = separability(tables_of(points), names)["separability_p"].sentence
    assert "Permuted freely over 6 runs, because their seeds are not given, the labels have 10 arrangements" in unknown
    assert unknown.endswith("a test at 5 % takes 4 runs of each, and 5 to reach 1 %.")
    alone = separability(tables_of(points[:2]), ["a", "b"])
    assert alone.keys() == {"separability_p"}, "with one seed none can be left out"
    same = separability(tables_of(points), ["a"] * 6)["separability_p"]
    assert "two groups are needed" in same.sentence
    with pytest.raises(ValueError, match="6 tables, 5 groups and 5 seeds"):
        separability(tables_of(points), ["a"] * 5)
