"""Tables and runs as they are stored, their truth written down."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from src.findings import Tracked
from src.metrics.table import Row, tabulate

STEPS = [0, 1, 2, 4, 8, 16, *range(30, 240, 15)]
Curve = Callable[[int], float]
Values = Mapping[tuple[str, int, int], float]
"""By quantity, dimension and step."""


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
            fallen *= math.exp(noise * np.random.default_rng([seed, step]).normal())
            rows.append(Row(step, "naive_velocity", fallen, "layer_01", 1))
            rows += [Row(step, "naive_velocity", fallen / 2 * math.exp(noise * rng.normal()), "layer_01", 1, sample=n)
                     for n in range(halves)]  # fmt: skip
        if rate:
            rows.append(Row(step, "learning_rate", rate(step)))
    return tabulate(rows)


def bump(step: int) -> float:
    return 1 + 3 * math.exp(-(((step - 90) / 25) ** 2))


def table_of_values(
    values: Values, halves: Sequence[Values] = (), losses: Mapping[int, float] | None = None
) -> pd.DataFrame:
    """A table of just these numbers, on all probes and on each half of them."""
    rows = [
        Row(step, quantity, value, "layer_01", k, sample=sample)
        for sample, part in enumerate([values, *halves], start=-1)
        for (quantity, k, step), value in part.items()
    ]
    return tabulate(rows + [Row(step, "eval_loss_helpful", value) for step, value in (losses or {}).items()])


def tables_of(points: np.ndarray) -> list[pd.DataFrame]:
    """(R, F) logarithms of H1 velocity at the steps 0 .. F - 1, as R tables."""
    return [table_of_values({("velocity", 1, step): math.exp(x) for step, x in enumerate(row)}) for row in points]


def tracked(tables: Sequence[pd.DataFrame], objectives: Sequence[str], seeds: Sequence[int]) -> list[Tracked]:
    return [
        Tracked(f"run{n}", "tiny", "pretrained", "tiny_instruct", objective, seed, table)
        for n, (table, objective, seed) in enumerate(zip(tables, objectives, seeds, strict=True))
    ]


def twin_runs(shift: float, seeds: int = 3, first: str = "tiny", second: str = "tiny_instruct") -> list[Tracked]:
    """Both models under two objectives; the instruct model's log drift lies `shift` higher."""
    rng, runs = np.random.default_rng(0), []
    for objective in ("helpful", "harmless"):
        for seed in range(seeds):
            level = rng.normal()
            for model, stage, twin, more in ((first, "pretrained", second, 0.0), (second, "instruct", None, shift)):
                noisy = {("drift", 1, step): math.exp(level + more + 0.1 * rng.normal()) for step in (5, 10, 15)}
                runs.append(Tracked(f"{model}{seed}", model, stage, twin, objective, seed, table_of_values(noisy)))
    return runs
