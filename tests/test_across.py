"""Findings across runs: known truths of the tests, what too few runs cannot say, and what other probes would say."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import pytest
from scipy.stats import f_oneway

from src.findings import Tracked, compare_twins, complementarity, find_across, separability, trajectories
from src.findings.complement import predict_self
from src.measure import track
from src.metrics.table import Row, tabulate
from src.statistics.permanova import permanova, permdisp
from src.statistics.permutations import count_arrangements, flip_signs, pairs_needed, permutations, seeds_needed
from tests.test_findings import bump
from tests.test_findings import table_of as run_table
from tests.validity import plant

Values = Mapping[tuple[str, int, int], float]
"""By quantity, dimension and step."""


def table_of(values: Values, halves: Sequence[Values] = (), losses: Mapping[int, float] | None = None) -> pd.DataFrame:
    rows = [
        Row(step, quantity, value, "layer_01", k, sample=sample)
        for sample, part in enumerate([values, *halves], start=-1)
        for (quantity, k, step), value in part.items()
    ]
    return tabulate(rows + [Row(step, "eval_loss_helpful", value) for step, value in (losses or {}).items()])


def tables_of(points: np.ndarray) -> list[pd.DataFrame]:
    """(R, F) logarithms of H1 velocity at the steps 0 .. F - 1, as R tables."""
    return [table_of({("velocity", 1, step): math.exp(x) for step, x in enumerate(row)}) for row in points]


def tracked(tables: Sequence[pd.DataFrame], objectives: Sequence[str], seeds: Sequence[int]) -> list[Tracked]:
    return [
        Tracked(f"run{n}", "tiny", "pretrained", "tiny_instruct", objective, seed, table)
        for n, (table, objective, seed) in enumerate(zip(tables, objectives, seeds, strict=True))
    ]


def test_a_trajectory_is_log_drift_and_velocity_z_scored_over_the_runs_that_share_a_step() -> None:
    one = {("drift", 0, 0): 0.0, ("drift", 0, 5): 2.0, ("velocity", 1, 0): 1.0, ("velocity", 1, 5): 3.0}
    two = one | {("drift", 0, 5): 4.0, ("velocity", 1, 5): 3.0, ("velocity", 1, 9): 1.0}
    points, steps = trajectories([table_of(one), table_of(two)])
    np.testing.assert_array_equal(steps, [0, 5])
    np.testing.assert_allclose(points, [[-1.0], [1.0]], err_msg="0 has no log, equal ones no variance, 9 is not shared")


def test_a_velocity_below_the_rounding_floor_is_in_no_trajectory() -> None:
    tables = tables_of(np.random.default_rng(0).normal(size=(3, 4)))
    marked = pd.concat([tables[0], tabulate([Row(2, "below_floor", 1.0, "layer_01", 1)])], ignore_index=True)
    assert trajectories(tables)[0].shape == (3, 4)
    assert trajectories([marked, *tables[1:]])[0].shape == (3, 3)


def test_runs_that_share_no_step_are_refused() -> None:
    one, two = (table_of({("velocity", 1, step): 1.0}) for step in (0, 5))
    with pytest.raises(ValueError, match=r"No checkpoint is shared by all 2 runs \(their first steps: 0; 5\)"):
        trajectories([one, two])
    with pytest.raises(ValueError, match="No drift or velocity of H0 or H1 in table 2 of 2"):
        trajectories([one, table_of({}, losses={0: 1.0})])
    found = find_across(tracked([one, two], ["helpful", "harmless"], [0, 0]))
    assert math.isnan(found["separability_p", "tiny"].value)
    assert "No checkpoint is shared" in found["separability_p", "tiny"].sentence


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


def test_every_distinct_arrangement_is_gone_through_once_where_they_are_few() -> None:
    for labels in ([0, 0, 1, 1, 2, 2], [0, 1, 1, 1, 2, 2], [0, 0, 0, 1, 1, 1]):
        arranged = permutations(np.array(labels))
        sizes = np.bincount(labels)
        parts = {frozenset(frozenset(np.flatnonzero(row == group)) for group in range(len(sizes))) for row in arranged}
        assert len(parts) == len(arranged) == count_arrangements(sizes.tolist())
        assert all((np.bincount(row) == sizes).all() for row in arranged)
    assert [count_arrangements(sizes) for sizes in ([3, 3, 3], [3, 3], [5, 5], [2, 4])] == [280, 10, 126, 15]
    assert permutations(np.repeat([0, 1], 10)).shape == (10_000, 20), "9,999 random ones and the observed"


def test_what_p_is_the_smallest_depends_on_seeds_and_pairs() -> None:
    apart = np.repeat([0.0, 10.0, 20.0], 3)[:, None] + np.random.default_rng(0).normal(size=(9, 4))
    assert permanova(apart, np.repeat(np.arange(3), 3)).p == pytest.approx(1 / 280)
    assert (seeds_needed(2), seeds_needed(2, 0.01), seeds_needed(3), seeds_needed(4)) == (4, 5, 3, 2)
    assert pairs_needed() == 6
    assert flip_signs(6).shape == (64, 6)
    assert len(np.unique(flip_signs(6), axis=0)) == 64
    assert flip_signs(14).shape == (10_000, 14)


def test_objectives_apart_are_separable_whatever_the_order_and_names() -> None:
    rng = np.random.default_rng(3)
    points = np.repeat([[0.0, 0], [3, 0], [0, 3]], 3, axis=0) + 0.3 * rng.normal(size=(9, 2))
    names, seeds = ["helpful"] * 3 + ["harmless"] * 3 + ["mixed"] * 3, [0, 1, 2] * 3
    found = separability(tables_of(points), names, seeds)
    assert found["separability_p"].called
    assert found["separability_p"].value == pytest.approx(1 / 280)
    assert "helpful and mixed are separable" in found["separability_p"].sentence
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
    found = separability(tables_of(points), ["a"] * 6 + ["b"] * 6)
    assert found["dispersion_p"].called
    assert "spread differently" in found["separability_p"].sentence


def test_too_few_seeds_have_no_p_and_say_how_many_are_needed() -> None:
    points = np.repeat([0.0, 100.0], 3)[:, None] + np.random.default_rng(0).normal(size=(6, 2))
    found = separability(tables_of(points), ["a"] * 3 + ["b"] * 3)
    assert math.isnan(found["separability_p"].value)
    assert found.keys() == {"separability_p", "seed_accuracy", "seed_accuracy_chance"}
    assert "3 and 3 runs" in found["separability_p"].sentence
    assert "4 seeds each are needed for that, and 5 to reach 1 %" in found["separability_p"].sentence
    alone = separability(tables_of(points[:2]), ["a", "b"])
    assert alone.keys() == {"separability_p"}, "with one seed none can be left out"
    same = separability(tables_of(points), ["a"] * 6)["separability_p"]
    assert "two groups are needed" in same.sentence
    with pytest.raises(ValueError, match="6 tables, 5 groups and 5 seeds"):
        separability(tables_of(points), ["a"] * 5)


def twin_runs(shift: float, seeds: int = 3, first: str = "tiny", second: str = "tiny_instruct") -> list[Tracked]:
    """Both models under two objectives; the instruct model's log drift lies `shift` higher."""
    rng, runs = np.random.default_rng(0), []
    for objective in ("helpful", "harmless"):
        for seed in range(seeds):
            level = rng.normal()
            for model, stage, twin, more in ((first, "pretrained", second, 0.0), (second, "instruct", None, shift)):
                noisy = {("drift", 1, step): math.exp(level + more + 0.1 * rng.normal()) for step in (5, 10, 15)}
                runs.append(Tracked(f"{model}{seed}", model, stage, twin, objective, seed, table_of(noisy)))
    return runs


def test_twins_that_differ_within_every_pair_differ() -> None:
    found = compare_twins(twin_runs(0.5))
    pair = "tiny / tiny_instruct"
    assert found["twins_p", pair].value == pytest.approx(2 / 64)
    assert found["twins_p", pair].called
    assert "no statement about instruction tuning" in found["twins_p", pair].sentence
    drift = found["twins_drift_H1", pair]
    assert drift.low < math.exp(0.5) < drift.high
    assert drift.value == pytest.approx(math.exp(0.5), rel=0.1), "instruct over pretrained, at the last shared step"
    assert "1.6" in drift.sentence


def test_twins_alike_do_not_differ_and_too_few_pairs_have_no_p() -> None:
    assert not compare_twins(twin_runs(0.0))["twins_p", "tiny / tiny_instruct"].called
    few = compare_twins(twin_runs(0.5, seeds=2))
    assert few.keys() == {("twins_p", "tiny / tiny_instruct")}
    finding = few["twins_p", "tiny / tiny_instruct"]
    assert math.isnan(finding.value)
    assert "4 pairs" in finding.sentence
    assert "6 are needed" in finding.sentence
    assert compare_twins([run for run in twin_runs(0.5) if run.stage == "pretrained"]) == {}
    with pytest.raises(ValueError, match="are both tiny, helpful, seed 0"):
        compare_twins([*twin_runs(0.5), twin_runs(0.5)[0]])


def test_the_scalar_findings_of_twins_are_compared() -> None:
    runs = [
        Tracked(f"{model}{seed}", model, stage, None if stage == "pretrained" else "a", "helpful", seed, table)
        for seed in range(6)
        for model, stage, table in (
            ("a", "pretrained", run_table(lambda _: 1.0, halves=0, repeats=1, seed=seed)),
            ("b", "instruct", run_table(bump, halves=0, repeats=1, seed=seed)),
        )
    ]
    found = compare_twins(runs)
    ratio = found["twins_peak_ratio_H1", "a / b"]
    assert ratio.called
    assert ratio.value == pytest.approx(3, rel=0.1)
    assert "adjusted for 2 numbers" in ratio.sentence, "excess and drift were not measured"
    assert found["twins_early_share_H1", "a / b"].value < 0


def moved(x: np.ndarray, common: np.ndarray, own: np.ndarray, strength: float) -> dict[int, np.ndarray]:
    """A cloud whose points go where it hangs on them alone: other points are other probes."""
    seen = {}
    for step in range(10):
        seen[step] = x
        x = x + strength * np.tanh(x @ common) + 0.005 * np.tanh(x @ own)
    return {step: seen[step] for step in (0, 4, 5, 8, 9)}


def test_r2_self_is_how_well_disjoint_halves_of_the_probes_agree() -> None:
    rng = np.random.default_rng(0)
    x, common, *own = plant.cloud(rng, 64, 16), *(rng.normal(size=(16, 16)) / 4 for _ in range(7))
    clouds = [moved(x, common, way, strength) for way, strength in zip(own, np.linspace(0.01, 0.02, 6), strict=True)]

    def read(rows: np.ndarray | slice, subsamples: int = 0) -> np.ndarray:
        """(1 + B, R, F) log drift and velocity at step 8, of all given points first."""
        tables = [track({s: c[rows] for s, c in run.items()}, 1, [0, 4, 8], subsamples=subsamples, null_draws=0)
                  for run in clouds]  # fmt: skip
        wanted = [t[t.quantity.isin(["drift", "velocity"]) & (t.pair_step == -1) & (t.step == 8)] for t in tables]
        wide = [t.pivot_table(index="sample", columns=["quantity", "dimension"], values="value") for t in wanted]
        return np.log(np.stack([one.to_numpy() for one in wide], axis=1))

    agreement, total = 0.0, 0.0
    for split in range(6):
        order = np.random.default_rng([9, split]).permutation(64)
        one, two = (part - part.mean(axis=0) for part in (read(order[:32])[0], read(order[32:])[0]))
        agreement, total = agreement + (one * two).sum(axis=0), total + ((one**2 + two**2) / 2).sum(axis=0)
    assert predict_self(read(slice(None), subsamples=12)[1:]) == pytest.approx(np.mean(agreement / total), abs=0.1)


def explained_runs(count: int, noise: float, told: float = 1.0, halves: int = 4) -> list[Tracked]:
    """Drift grows with a run's level; its loss tells the level, or another one; a half of the probes adds noise."""
    rng, tables = np.random.default_rng(0), []
    for level in rng.normal(size=count):
        loss = told * level + (1 - told) * rng.normal()
        parts = [
            {("drift", 1, step): math.exp(level + (half >= 0) * noise * rng.normal()) for step in (5, 10)}
            for half in range(-1, halves)
        ]
        tables.append(table_of(parts[0], parts[1:], {5: loss, 10: loss}))
    return tracked(tables, ["helpful"] * count, range(count))


def test_complementarity_is_none_of_what_behaviour_tells_and_all_of_what_it_does_not() -> None:
    assert complementarity(explained_runs(12, 0.2))["complementarity_behavior"].value == pytest.approx(0, abs=0.05)
    found = complementarity(explained_runs(12, 0.2, told=0.0))
    assert found["complementarity_behavior"].value == pytest.approx(1, abs=0.1)
    assert "upper bound" in found["complementarity_behavior"].sentence
    partly = {name: f.value for name, f in complementarity(explained_runs(12, 0.2, told=0.7)).items()}
    expected = (partly["r2_self"] - partly["r2_behavior"]) / partly["r2_self"]
    assert partly["complementarity_behavior"] == pytest.approx(expected)
    assert 0.2 < expected < 0.8
    assert math.isnan(found["complementarity_geometry"].value)
    assert "No geometric metric" in found["complementarity_geometry"].sentence


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        (lambda: explained_runs(3, 0.2), "3 run(s) of 4"),
        (lambda: explained_runs(5, 0.2, halves=0), "tda.subsamples"),
        (lambda: explained_runs(5, 9.0, halves=20), "take more probes"),
        (lambda: tracked([explained_runs(4, 0.2)[0].table] * 4, ["helpful"] * 4, range(4)), "do not differ"),
    ],
)
def test_what_complementarity_lacks_is_said(runs: Callable[[], list[Tracked]], said: str) -> None:
    found = complementarity(runs())
    assert found.keys() == {"complementarity_behavior", "complementarity_geometry"}
    for finding in found.values():
        assert math.isnan(finding.value)
        assert said in finding.sentence


def test_all_findings_across_have_a_group_and_a_sentence_and_hang_on_no_order() -> None:
    runs = twin_runs(0.5)
    found = find_across(runs)
    assert {group for _, group in found} == {"tiny", "tiny_instruct", "tiny / tiny_instruct", "all"}
    assert all(finding.sentence.startswith(f"{group}: ") for (_, group), finding in found.items())
    assert "separability_p" in {name for name, group in found if group == "tiny"}
    again = find_across(runs[::-1])
    assert {key: f.sentence for key, f in again.items()} == {key: f.sentence for key, f in found.items()}
    alone = find_across([run for run in runs if run.model == "tiny"])
    assert "None of tiny is the instruct twin of another" in alone["twins_p", "all"].sentence
