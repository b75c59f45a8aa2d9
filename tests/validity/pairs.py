"""Controls of one pair: movement against chance, rigid movement, the interval."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from src.clouds.prepare import prepare_points
from src.geometry import dominant_share
from src.measure import track
from src.metrics.table import MAX_DOMINANT_SHARE
from src.topology import compute_diagram, summarize
from src.topology.distances import median_distance, pairwise_distances

from . import plant
from .answer import Answer, Results, at_least, at_most, mean_within

# Movement of one pair against chance.


EXCESS = {
    "excess": "excess", "p": "excess_p", "own": "excess_own_scale", "own_p": "excess_own_scale_p",
    "independent": "independent_excess", "independent_p": "independent_excess_p",
}  # fmt: skip
"""What the controls call the excess by each null, and without one common scaling of the bars (`own`)."""


def excess_of(before: np.ndarray, after: np.ndarray) -> dict[str, float]:
    table = track({0: before.astype(np.float32), 1: after.astype(np.float32)}, subsamples=0)
    rows = table[table["sample"] == -1].drop_duplicates(["quantity", "dimension"]).set_index(["quantity", "dimension"])
    value = rows.value
    return {f"{name}_{k}": float(value[quantity, k]) for k in (0, 1) for name, quantity in EXCESS.items()}


def chance_trial(rng: np.random.Generator, points: int, width: int, rank: int | None, uneven: bool) -> dict[str, float]:
    x = plant.cloud(rng, points, width)
    return excess_of(x, plant.step(x, plant.random_direction(x, rng, rank=rank, uneven=uneven)))


def judge_chance(results: Results) -> Iterator[Answer]:
    for k in (0, 1):
        for name, null in (("", "smooth"), ("own", "smooth, own scale"), ("independent", "independent")):
            excess, p = (f"{name}_{k}", f"{name}_p_{k}") if name else (f"excess_{k}", f"p_{k}")
            yield mean_within(results[excess], 0.9, 1.1, f"H{k} mean excess, {null}")
            yield at_most({"p": results[p] < 0.05}, "p", 0.07, f"H{k} p < 0.05, {null}")


def smooth_trial(rng: np.random.Generator, points: int, width: int) -> dict[str, float]:
    x = plant.cloud(rng, points, width)
    return excess_of(x, plant.step(x, plant.smooth_direction(x, rng)))


def judge_smooth(results: Results) -> Iterator[Answer]:
    """The smooth null has the right mean; what is counted, without one common scaling, has the right p, too.

    How often p of the plain excess is small is reported, and what the other null says.
    """
    for k in (0, 1):
        yield mean_within(results[f"excess_{k}"], 0.9, 1.1, f"H{k} mean excess, smooth")
        yield mean_within(results[f"own_{k}"], 0.9, 1.1, f"H{k} mean excess, smooth, own scale")
        yield at_most({"p": results[f"own_p_{k}"] < 0.05}, "p", 0.07, f"H{k} p < 0.05, smooth, own scale")
        for name, p in (("excess", "p"), ("independent", "independent_p")):
            mean, called = float(results[f"{name}_{k}"].mean()), float((results[f"{p}_{k}"] < 0.05).mean())
            message = f"H{k} {name} {mean:.2f}, p < 0.05 in {100 * called:.1f} % (reported)"
            yield Answer(message, True, refuted=False)


def structure_trial(rng: np.random.Generator, kind: str, sign: int) -> dict[str, float]:
    if kind == "clusters":
        x, labels = plant.clustered(rng, 512, 128)
        way = plant.contraction(x, labels)
    else:
        x = plant.cloud(rng, 512, 128, fall=0.8)
        way = plant.attraction(x)
    return excess_of(x, plant.step(x, sign * way))


def judge_structure(results: Results) -> Iterator[Answer]:
    """Seen by what is counted, without one common scaling; loops show it only there."""
    yield mean_within(results["excess_0"], 2, math.inf, "H0 mean excess")
    yield Answer(f"H1 mean excess {float(results['excess_1'].mean()):.2f} (reported)", True, refuted=False)
    for k in (0, 1):
        yield mean_within(results[f"own_{k}"], 1.1, math.inf, f"H{k} mean excess, own scale")
        seen = (results[f"own_p_{k}"] < 0.05) & (results[f"own_{k}"] > 1)
        yield at_least({"seen": seen}, "seen", 0.95, f"H{k} significant, own scale")


def power_trial(rng: np.random.Generator, points: int, width: int, share: float) -> dict[str, float]:
    """Clusters contract within a movement that is merely smooth; `share` of the squared movement is structure."""
    x, labels = plant.clustered(rng, points, width)
    smooth, structure = (
        way / np.linalg.norm(way) for way in (plant.smooth_direction(x, rng), plant.contraction(x, labels))
    )
    return excess_of(x, plant.step(x, math.sqrt(1 - share) * smooth + math.sqrt(share) * structure))


def judge_power(results: Results) -> Iterator[Answer]:
    """What is detected is reported: it is the power of the tool, not a demand."""
    for k in (0, 1):
        for name, p in (("excess", "p"), ("own", "own_p")):
            mean, seen = (
                float(results[f"{name}_{k}"].mean()),
                (results[f"{p}_{k}"] < 0.05) & (results[f"{name}_{k}"] > 1),
            )
            message = f"H{k} mean {name} {mean:.2f}, significant {100 * float(seen.mean()):.0f} % (reported)"
            yield Answer(message, True, refuted=False)


def outliers_trial(rng: np.random.Generator) -> dict[str, float]:
    """Clusters contract, beside two coordinates that are wider by far: as measured, and standardized."""
    x, labels = plant.clustered(rng, 512, 128)
    before, after = plant.beside_outliers(rng, x, plant.step(x, plant.contraction(x, labels)))
    standardized = [prepare_points(cloud, before, metric="standardized", points=None)[0] for cloud in (before, after)]
    euclidean = {f"euclidean_{name}": value for name, value in excess_of(before, after).items()}
    return {"share": dominant_share(before)} | euclidean | excess_of(*standardized)


def judge_outliers(results: Results) -> Iterator[Answer]:
    """Warned of, and found by the second metric; what the first one says is reported."""
    yield at_least({"warned": results["share"] > MAX_DOMINANT_SHARE}, "warned", 1, "warned of")
    yield from judge_structure(results)
    for k in (0, 1):
        mean = float(results[f"euclidean_excess_{k}"].mean())
        yield Answer(f"H{k} mean excess, euclidean {mean:.2f} (reported)", True, refuted=False)


def blind_trial(rng: np.random.Generator, kind: str) -> dict[str, float]:
    """What changes few bars: one of eight clusters moves as a whole; a loop opens."""
    x, way = plant.FEW_BARS[kind](rng)
    return excess_of(x, plant.step(x, way))


def judge_blind(results: Results) -> Iterator[Answer]:
    for k in (0, 1):
        yield mean_within(results[f"excess_{k}"], 0, 1.1, f"H{k}, not seen: mean excess")


def rigid_trial(rng: np.random.Generator) -> dict[str, float]:
    x = plant.cloud(rng, 128, 64)
    rotation, _ = np.linalg.qr(rng.normal(size=(64, 64)))
    clouds = {0: x, 1: x + 3 * rng.normal(size=64), 2: x @ rotation, 3: rng.uniform(0.5, 2) * x}
    table = track(clouds, checkpoints=[0, 1, 2, 3], subsamples=0, null_draws=0)
    diagram, scale = compute_diagram(x), median_distance(pairwise_distances(x))
    persistence = [summarize(diagram, k)["total_persistence"] / scale for k in (0, 1)]
    values = {}
    for k in (0, 1):
        moved = float(table[table.quantity.isin(["velocity", "drift"]) & (table.dimension == k)].value.max())
        values |= {f"whole{k}": moved / sum(persistence), f"own{k}": moved / persistence[k]}
    return values


def judge_rigid(results: Results) -> Iterator[Answer]:
    for k in (0, 1):
        whole, own = (float(results[f"{name}{k}"].max()) for name in ("whole", "own"))
        message = (
            f"H{k} velocity, drift at most {whole:.1e} of the total persistence (1e-6), {own:.1e} of its own H{k} part"
        )
        yield Answer(message, whole <= 1e-6, refuted=whole > 1e-6)


# The interval covers what an endless probe set of this size would give on average.

COVERED = (
    "velocity0", "velocity1", "drift0", "drift1", "displacement", "rigid_share", "distance_change",
    "excess0", "excess1",
)  # fmt: skip


def sample_of_population(rng: np.random.Generator, subsamples: int, draws: int) -> pd.DataFrame:
    """Probes from one distribution; where each goes hangs on the probe alone."""
    fixed = np.random.default_rng(0)
    ways = [fixed.normal(size=(32, 32)) / 6 for _ in range(2)]
    x = plant.cloud(rng, 128, 32)
    clouds = {0: x, 4: x + 0.1 * np.tanh(x @ ways[0])}
    clouds[5] = clouds[4] + 0.05 * np.tanh(clouds[4] @ ways[1])
    table = track(clouds, checkpoints=[4], subsamples=subsamples, null_draws=draws)
    rows = table[(table["sample"] == -1) & (table.pair_step == -1)].copy()
    rows.index = [q + (str(k) if k >= 0 else "") for q, k in zip(rows.quantity, rows.dimension, strict=True)]
    return rows


TRUTH_SAMPLES = 400
TRUTH_DRAWS = 4
"""Of random movement, in each sample: their error averages out over the samples."""


def coverage_trial(rng: np.random.Generator) -> dict[str, float]:
    truth = _truth()
    rows = sample_of_population(rng, 20, 20)
    return {name: rows.low[name] <= truth[name] <= rows.high[name] for name in COVERED}


_TRUTH: dict[str, float] = {}


def _truth() -> dict[str, float]:
    """Means over many samples, made once in each process."""
    if not _TRUTH:
        rng = np.random.default_rng(12345)
        values = pd.DataFrame(
            [sample_of_population(rng, 0, TRUTH_DRAWS).value[list(COVERED)] for _ in range(TRUTH_SAMPLES)]
        )
        _TRUTH.update({str(name): float(value) for name, value in values.mean().items()})
    return _TRUTH


def judge_coverage(results: Results) -> Iterator[Answer]:
    for name in COVERED:
        yield at_least(results, name, 0.9, f"{name} covered")
