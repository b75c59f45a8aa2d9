"""Findings of a run from tables whose truth is written down."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest

from src.findings import finding_metrics, run_findings, sentences
from src.findings.curves import read_pair_rate, read_velocity, smooth
from src.findings.peaks import scan
from src.metrics.table import Row, tabulate

STEPS = [0, 1, 2, 4, 8, 16, *range(30, 240, 15)]
Curve = Callable[[int], float]


def table_of(
    velocity: Curve, steps: Sequence[int] = STEPS, *, noise: float = 0.02, halves: int = 10, repeats: int = 2,
    change: Curve | None = None, rate: Curve | None = None, naive: Curve | None = None, seed: int = 0,
) -> pd.DataFrame:  # fmt: skip
    """A table as a run leaves it, of one layer and H1, with noise from step to step and from half to half."""
    rng = np.random.default_rng(seed)
    rows = []

    def around(quantity: str, value: float, step: int, k: int) -> None:
        pairs = [value * math.exp(noise * rng.normal()) for _ in range(repeats)]
        rows.extend(Row(step, quantity, v, "layer_01", k, step + n + 1) for n, v in enumerate(pairs))
        rows.append(Row(step, quantity, float(np.mean(pairs)), "layer_01", k))
        if len(pairs) > 1 and quantity == "velocity":
            rows.append(Row(step, "step_noise", float(np.log(pairs).std(ddof=1)), "layer_01", k))
        for sample in range(halves):
            half = float(np.mean(pairs)) * math.exp(noise * rng.normal()) / 2
            rows.append(Row(step, quantity, half, "layer_01", k, sample=sample))

    for previous, step in zip([None, *steps], steps, strict=False):
        around("velocity", velocity(step), step, 1)
        around("distance_change", change(step) if change else 0.003, step, -1)
        if previous is not None:
            fallen = naive(step) if naive else velocity(step) / math.sqrt(step - previous)
            rows.append(Row(step, "naive_velocity", fallen, "layer_01", 1))
            rows += [Row(step, "naive_velocity", fallen / 2 * math.exp(noise * rng.normal()), "layer_01", 1, sample=n)
                     for n in range(halves)]  # fmt: skip
        if rate:
            rows.append(Row(step, "learning_rate", rate(step)))
    return tabulate(rows)


def bump(step: int) -> float:
    return 1 + 3 * math.exp(-(((step - 90) / 25) ** 2))


def test_a_constant_velocity_has_no_course() -> None:
    found = run_findings(table_of(lambda _: 2.0, noise=0.0))
    assert found["early_share", 1].value == pytest.approx(0.1)
    assert found["half_life", 1].value == pytest.approx(0.5)
    assert found["peak_ratio", 1].value == 1
    assert found["peak_step", 1].value == 0, "ties: the earliest"
    assert found["stabilisation_step", 1].value == 0
    assert not found["peak_ratio", 1].called
    assert not found["early_share", 1].called


def test_what_falls_only_because_the_gaps_grow_is_explained_by_the_schedule() -> None:
    found = run_findings(table_of(lambda _: 2.0))
    assert not found["peak_ratio", 1].called
    assert found["naive_peak_ratio", 1].called
    assert found["naive_peak_ratio", 1].value > 3
    assert found["peak_explained_by", 1].label == "schedule"
    assert "explained by the schedule" in found["peak_explained_by", 1].sentence


def test_a_peak_of_shape_stays_when_divided() -> None:
    found = run_findings(table_of(bump))
    peak = found["peak_ratio", 1]
    assert peak.called
    assert peak.low > 1
    assert peak.value == pytest.approx(3.09, rel=0.1), "the median of the highest checkpoint and its neighbours"
    assert abs(found["peak_step", 1].value - 90) <= 15
    assert found["peak_explained_by", 1].label == "nothing"
    assert 90 < found["stabilisation_step", 1].value < 170


def test_a_peak_of_movement_is_explained_by_displacement_and_that_of_a_learning_rate_by_it() -> None:
    assert run_findings(table_of(bump, change=bump))["peak_explained_by", 1].label == "displacement"
    both = table_of(bump, change=bump, rate=lambda step: 1e-3 * bump(step))
    assert run_findings(both)["peak_explained_by", 1].label == "learning_rate"
    flat = table_of(bump, change=bump, rate=lambda _: 1e-3)
    assert run_findings(flat)["peak_explained_by", 1].label == "displacement"


def test_a_velocity_is_divided_by_the_rate_that_its_own_pairs_moved_by() -> None:
    """In warm-up the rate of a checkpoint's second pair is twice that of its first."""

    def rate(step: int) -> float:
        return min((step + 1) / 20, (240 - step) / 220)

    rows = [Row(step, "learning_rate", rate(step)) for step in range(240)]
    for step in STEPS:
        pairs = [3 * rate(step + n) for n in range(2)]
        rows += [Row(step, "velocity", v, "layer_01", 1, step + n + 1) for n, v in enumerate(pairs)]
        rows.append(Row(step, "velocity", sum(pairs) / 2, "layer_01", 1))
    table = tabulate(rows)
    moved_by = read_pair_rate(table, 1, "layer_01")
    assert moved_by is not None
    divided = read_velocity(table, 1, "layer_01").divide(moved_by)
    assert divided.values == pytest.approx([3.0] * len(STEPS))
    assert divided.own[np.isfinite(divided.own)] == pytest.approx(3.0)
    assert read_pair_rate(table[table.quantity == "velocity"], 1, "layer_01") is None


def test_neither_a_rise_to_the_end_nor_one_wild_checkpoint_is_a_peak() -> None:
    assert not run_findings(table_of(lambda step: 1 + step / 60))["peak_ratio", 1].called
    assert not run_findings(table_of(lambda step: 5.0 if step == 90 else 1.0))["peak_ratio", 1].called


def test_without_halves_there_are_no_bounds_and_nothing_is_called() -> None:
    found = run_findings(table_of(bump, halves=0))
    assert math.isnan(found["peak_ratio", 1].low)
    assert not found["peak_ratio", 1].called
    assert "no intervals" in found["limits", -1].sentence


def test_step_noise_widens_the_bounds() -> None:
    quiet, wild = (run_findings(table_of(bump, noise=noise))["peak_ratio", 1] for noise in (0.01, 0.3))
    assert wild.high / wild.low > 3 * quiet.high / quiet.low


def test_pairs_that_checkpoints_share_count_once() -> None:
    """At steps 0, 1, 2 the second pair of one is the first of the next: the same number three times is no evidence."""
    from src.findings.curves import read_curve

    rows = [Row(s, "velocity", 1.0 * s, "layer_01", 1) for s in (0, 1)]
    rows += [Row(0, "velocity", 1.0, "layer_01", 1, 1), Row(0, "velocity", 2.0, "layer_01", 1, 2)]
    rows += [Row(1, "velocity", 2.0, "layer_01", 1, 2), Row(1, "velocity", 5.0, "layer_01", 1, 3)]
    np.testing.assert_array_equal(read_curve(tabulate(rows), "velocity", 1, "layer_01").own, [1.5, 5.0])


def test_the_scan_finds_a_stretch_and_keeps_its_level() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=20)
    values[7:12] += 4
    p, window = scan(values)
    assert p < 0.01
    assert set(range(8, 11)) <= set(window) <= set(range(6, 13))
    rejected = [scan(rng.normal(size=20))[0] < 0.05 for _ in range(200)]
    assert np.mean(rejected) <= 0.09
    assert scan(np.ones(20))[0] == 1
    assert scan(values[:5])[0] == 1, "five values have too few orders"


def test_the_running_median_is_of_two_at_the_ends() -> None:
    np.testing.assert_array_equal(smooth(np.array([1.0, 5, 2, 3])), [3, 2, 3, 2.5])


def chance_table(excess: Curve, p: Curve) -> pd.DataFrame:
    table = table_of(lambda _: 2.0)
    rows = []
    for step in STEPS:
        rows += [Row(step, "excess", excess(step), "layer_01", 1), Row(step, "excess_p", p(step), "layer_01", 1)]
        rows += [Row(step, "null_velocity", 2 / excess(step), "layer_01", 1)]
        rows += [
            Row(step, "null_velocity", 2 / excess(step) * f, "layer_01", 1, sample=n)
            for n, f in enumerate((0.99, 1.01))
        ]
    return pd.concat([table, tabulate(rows)], ignore_index=True)


def test_a_transient_excess_is_told_with_its_step_and_its_end() -> None:
    found = run_findings(chance_table(lambda s: 2.1 if s < 20 else 1.0, lambda s: 1e-4 if s < 20 else 0.6))
    early, late = found["excess_early", 1], found["excess_late", 1]
    assert early.called
    assert early.value == pytest.approx(2.1)
    assert early.low < 2.1 < early.high
    assert "more than chance in the first tenth" in early.sentence
    assert not late.called
    assert "as much as chance in the last half" in late.sentence
    share = found["excess_share", 1]
    assert share.value == pytest.approx(6 / len(STEPS))
    assert "2.10 x chance in layer_01 at step 0; the last one is at step 16" in share.sentence


def test_a_few_small_p_among_many_are_chance() -> None:
    found = run_findings(chance_table(lambda _: 1.1, lambda s: 0.04 if s == 4 else 0.5))
    assert found["excess_share", 1].value == 0
    assert not found["excess_share", 1].called


def test_what_is_below_the_floor_is_left_out_and_said() -> None:
    table = table_of(bump)
    marks = tabulate([Row(s, "below_floor", float(s < 30), "layer_01", 1) for s in STEPS])
    found = run_findings(pd.concat([table, marks], ignore_index=True))
    assert "6 of 20 checkpoints moved less than 3 x the rounding floor" in found["limits", -1].sentence
    everything = tabulate([Row(s, "below_floor", 1.0, "layer_01", 1) for s in STEPS])
    found = run_findings(pd.concat([table, everything], ignore_index=True))
    assert ("peak_ratio", 1) not in found
    assert "20 of 20 checkpoints" in found["limits", -1].sentence


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (lambda: table_of(bump, steps=[0]), "no statement about the course"),
        (lambda: table_of(bump, repeats=1), "noise of single steps is unknown"),
        (lambda: table_of(bump, steps=[0, 1, 2, 100, 200]), "in the last half: its median is rough"),
        (lambda: table_of(bump, change=lambda s: 0.2 if s == 4 else 0.01), "10 % or more at steps 4: too far"),
        (lambda: table_of(bump, rate=lambda s: 1e-3 * (1 - s / 300)), "learning rate was not constant"),
        (lambda: tabulate([Row(0, "drift", 0.0, "layer_01", 1)]), "No checkpoint has a pair"),
    ],
)
def test_what_a_table_cannot_say_is_said(table: Callable[[], pd.DataFrame], said: str) -> None:
    assert said in run_findings(table())["limits", -1].sentence


def test_a_lag_longer_than_a_gap_is_said() -> None:
    rows = [Row(s, "velocity", 1.0, "layer_01", 1, s + d) for s in (0, 1, 20, 40) for d in (10, 20)]
    rows += [Row(s, "velocity", 1.0, "layer_01", 1) for s in (0, 1, 20, 40)]
    assert "The lag of 10 steps is longer than the gap" in run_findings(tabulate(rows))["limits", -1].sentence


def test_the_same_table_gives_the_same_findings_and_only_finite_metrics() -> None:
    table = table_of(bump)
    assert finding_metrics(run_findings(table)) == finding_metrics(run_findings(table.sample(frac=1, random_state=1)))
    metrics = finding_metrics(run_findings(table))
    assert {"finding/peak_ratio/H1", "finding/peak_ratio_low/H1", "finding/early_share_high/H1"} <= metrics.keys()
    assert all(math.isfinite(value) for value in metrics.values())
    assert not any("peak_explained_by" in key or "limits" in key for key in metrics)


def test_every_sentence_is_told_once() -> None:
    told = sentences(run_findings(table_of(bump, rate=lambda s: 1e-3 * (1 - s / 300))))
    assert len(told) == len(set(told))
    assert told[-1].startswith("The learning rate was not constant")
