"""Controls of several runs: the same objective or two of them, what behaviour explains or does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from src.findings import Tracked, complementarity, separability
from src.measure import track
from src.metrics.table import Row, tabulate
from src.statistics import ALPHA
from src.statistics.permanova import permanova

from . import plant
from .answer import Answer, Results, at_least, at_most, mean_within

CHECKPOINTS = (0, 4, 12)
POINTS, WIDTH = 64, 16
ONE_RUN = 0.005
"""How far a point goes in a step the way that is its run's alone, in units of about its length."""


def runs_of(rng: np.random.Generator, strengths: Sequence[float], subsamples: int = 0) -> list[pd.DataFrame]:
    """Tables of runs over the same probes; each point goes a way that hangs on it alone.

    Args:
        strengths: how far it goes the way that all runs have in common, one a run; beside it goes one of the run's own.
    """
    x = plant.cloud(rng, POINTS, WIDTH)
    common = _way(rng)
    return [_run(x, common, _way(rng), strength, subsamples) for strength in strengths]


def _way(rng: np.random.Generator) -> np.ndarray:
    return np.asarray(rng.normal(size=(WIDTH, WIDTH)) / np.sqrt(WIDTH))


def _run(x: np.ndarray, common: np.ndarray, own: np.ndarray, strength: float, subsamples: int) -> pd.DataFrame:
    wanted, seen = plant.captured(CHECKPOINTS, repeats=1), {}
    for at in range(max(wanted) + 1):
        if at in wanted:
            seen[at] = x
        x = x + strength * np.tanh(x @ common) + ONE_RUN * np.tanh(x @ own)
    return track(seen, checkpoints=CHECKPOINTS, subsamples=subsamples, null_draws=0)


# The same objective under different seeds, labels shuffled within them.

DESIGNS = {"3x3": (3, 3), "2x6": (2, 6)}
"""Objectives and seeds."""


def shuffled_trial(rng: np.random.Generator) -> dict[str, float]:
    """Runs of a seed drift about as strongly, those of others up to some ten percent more or less."""
    values = {}
    for name, (groups, count) in DESIGNS.items():
        labels, seeds = _shuffle(rng, groups, count)
        found = separability(runs_of(rng, 0.01 * np.exp(0.1 * rng.normal(size=count))[seeds]), labels, seeds)
        values[f"called{name}"] = found["separability_p"].called
        values[f"accuracy{name}"] = found["seed_accuracy"].value
    return values


def _shuffle(rng: np.random.Generator, groups: int, seeds: int) -> tuple[list[str], list[int]]:
    """Objective and seed of each run: every seed has one of each objective, in random order."""
    objectives = [f"objective {n}" for n in range(groups)]
    return rng.permuted([objectives] * seeds, axis=1).ravel().tolist(), np.repeat(range(seeds), groups).tolist()


def judge_shuffled(results: Results) -> Iterator[Answer]:
    for name, (groups, seeds) in DESIGNS.items():
        yield at_most(results, f"called{name}", 0.05, f"{groups} x {seeds} runs separable")
        low, high = round(1 / groups - 0.05, 2), round(1 / groups + 0.05, 2)
        yield mean_within(results[f"accuracy{name}"], low, high, f"{groups} x {seeds} runs, mean accuracy")


# Two objectives whose common drift differs.


def planted_trial(rng: np.random.Generator) -> dict[str, float]:
    found = separability(runs_of(rng, [0.01] * 6 + [0.013] * 6), ["weak"] * 6 + ["strong"] * 6, [*range(6)] * 2)
    return {"called": found["separability_p"].called, "accuracy": found["seed_accuracy"].value}


def judge_planted(results: Results) -> Iterator[Answer]:
    yield at_least(results, "called", 0.9, "2 x 6 runs separable")
    yield mean_within(results["accuracy"], 0.8, 1.0, "mean accuracy")


# Seeds that shift a whole trajectory by as much as its numbers are uncertain.

LENGTH = 14
"""Numbers of a trajectory."""


def seeds_trial(rng: np.random.Generator) -> dict[str, float]:
    """Trajectories with noise of 1 sd, a shift of 1 sd a seed or none, and 1 sd between neighbouring objectives."""
    values = {}
    for name, (groups, count) in DESIGNS.items():
        labels, seeds = np.tile(np.arange(groups), count), np.repeat(np.arange(count), groups)
        noise, shift = rng.normal(size=(len(labels), LENGTH)), rng.normal(size=(count, 1))[seeds]
        free, apart = np.zeros_like(seeds), noise + labels[:, None]
        values[f"alike{name}"] = permanova(noise + shift, labels, seeds).p < ALPHA
        values[f"within{name}"] = permanova(apart + shift, labels, seeds).p < ALPHA
        values[f"free{name}"] = permanova(apart + shift, labels, free).p < ALPHA
        values[f"unshifted{name}"] = permanova(apart, labels, free).p < ALPHA
    return values


def judge_seeds(results: Results) -> Iterator[Answer]:
    for name, (groups, seeds) in DESIGNS.items():
        runs = f"{groups} x {seeds} runs"
        yield at_most(results, f"alike{name}", 0.05, f"{runs} alike separable")
        yield at_least(results, f"within{name}", 0.75, f"{runs} apart separable")
        yield at_most(results, f"free{name}", 0.5, f"{runs} apart, permuted freely, separable")
        yield at_least(results, f"unshifted{name}", 0.9, f"{runs} apart, permuted freely, no shift, separable")


# Behaviour that says all about a trajectory, or nothing.

RUNS = 12


def explained_trial(rng: np.random.Generator) -> dict[str, float]:
    """The losses of the same runs tell how strong each drift is, then another strength."""
    strengths, others = rng.uniform(0.01, 0.03, size=(2, RUNS))
    tables = runs_of(rng, strengths, subsamples=6)
    values = {}
    for name, known in (("told", strengths), ("untold", others)):
        runs = [
            Tracked(str(n), "planted", "pretrained", None, "helpful", n, pd.concat([table, _losses(rng, value)]))
            for n, (table, value) in enumerate(zip(tables, known, strict=True))
        ]
        found = complementarity(runs)
        values |= {"self": found["r2_self"].value, name: found["complementarity_behavior"].value}
    return values


def _losses(rng: np.random.Generator, strength: float) -> pd.DataFrame:
    """A loss that falls as fast as the shape moves, and a batch's noisy one."""
    at = {step: 2 * np.exp(-strength * step) for step in CHECKPOINTS}
    rows = [Row(step, "eval_loss_helpful", value) for step, value in at.items()]
    return tabulate(rows + [Row(step, "train_loss", value + 0.1 * rng.normal()) for step, value in at.items()])


def judge_explained(results: Results) -> Iterator[Answer]:
    yield mean_within(results["self"], 0.2, 1.0, "mean R2_self")
    yield mean_within(results["told"], 0.0, 0.2, "mean complementarity to losses that tell the drift")
    yield mean_within(results["untold"], 0.8, 1.0, "mean complementarity to losses that do not")
