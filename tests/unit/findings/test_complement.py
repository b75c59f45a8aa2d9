"""What topology tells that behaviour and geometry do not."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from src.findings import Tracked, complementarity
from src.findings.complement import predict_self
from src.measure import track
from tests.support.tables import table_of_values, tracked
from tests.validity import plant


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


def explained_runs(count: int, noise: float, reported: float = 1.0, halves: int = 4) -> list[Tracked]:
    """Drift grows with a run's level; its loss tells the level, or another one; a half of the probes adds noise."""
    rng, tables = np.random.default_rng(0), []
    for level in rng.normal(size=count):
        loss = reported * level + (1 - reported) * rng.normal()
        parts = [
            {("drift", 1, step): math.exp(level + (half >= 0) * noise * rng.normal()) for step in (5, 10)}
            for half in range(-1, halves)
        ]
        tables.append(table_of_values(parts[0], parts[1:], {5: loss, 10: loss}))
    return tracked(tables, ["helpful"] * count, range(count))


def test_complementarity_is_none_of_what_behaviour_tells_and_all_of_what_it_does_not() -> None:
    assert complementarity(explained_runs(12, 0.2))["complementarity_behavior"].value == pytest.approx(0, abs=0.05)
    found = complementarity(explained_runs(12, 0.2, reported=0.0))
    assert found["complementarity_behavior"].value == pytest.approx(1, abs=0.1)
    assert "upper bound" in found["complementarity_behavior"].sentence
    partly = {name: f.value for name, f in complementarity(explained_runs(12, 0.2, reported=0.7)).items()}
    expected = (partly["r2_self"] - partly["r2_behavior"]) / partly["r2_self"]
    assert partly["complementarity_behavior"] == pytest.approx(expected)
    assert 0.2 < expected < 0.8
    assert math.isnan(found["complementarity_geometry"].value)
    assert "No geometric metric" in found["complementarity_geometry"].sentence


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        (lambda: explained_runs(5, 0.2), "5 of the 6 runs"),
        (lambda: explained_runs(6, 0.2, halves=0), "tda.subsamples"),
        (lambda: explained_runs(6, 9.0, halves=20), "take more probes"),
        (lambda: tracked([explained_runs(1, 0.2)[0].table] * 6, ["helpful"] * 6, range(6)), "do not differ"),
    ],
)
def test_what_complementarity_lacks_is_said(runs: Callable[[], list[Tracked]], message: str) -> None:
    found = complementarity(runs())
    assert found.keys() == {"complementarity_behavior", "complementarity_geometry"}
    for finding in found.values():
        assert math.isnan(finding.value)
        assert message in finding.sentence
