"""What the topology of runs says beyond behaviour and plain geometry."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from ..metrics.selection import overall_layer
from .finding import Finding
from .trajectory import Tracked, read_shape, read_wide, shared_logs, shared_values, trajectories

MIN_RUNS = 4
MIN_R2_SELF = 0.2
MIN_HALVES = 2
BEHAVIOR_PREDICTORS = ("train_loss", "kl_to_base")
BEHAVIOR_PREDICTOR_FAMILIES = ("eval_loss_", "preference_accuracy_")
GEOMETRY_PREDICTORS = (
    "displacement", "cka_to_base", "effective_rank", "participation_ratio", "intrinsic_dimension", "anisotropy",
    "mean_norm", "distance_change", "scale",
)  # fmt: skip
PENALTIES = np.logspace(-2, 4, 13)
"""of the ridge, times the number of columns: from next to none to next to no prediction"""


def complementarity(runs: Sequence[Tracked]) -> dict[str, Finding]:
    """(R2_self - R2_pred) / R2_self: how much of what trajectories have of their own other metrics do not predict.

    The table holds random halves b of the probes, the same in every run. R2_self is the share of the differences
    between trajectories on one half that another half shows again; r, not r^2, of the two: what a predictor without
    noise of its own could reach. With u the log value of a run less the mean over the R runs on the same half,

        R2_self = 1 - mean over columns of within / total,
        within = sum over runs of var_b(u) / (R - 1), total = mean over b of sum over runs of u^2 / (R - 1).

    What an easy half does to all runs alike cancels in u. Random halves have half of their probes in common, disjoint
    ones none, so that within is too small by a factor between 1 (the common probes carry nothing over) and 2 (all is
    linear in the probes), by Hoeffding's decomposition (doi:10.1214/aoms/1177730196). It is close to 1 for distances of
    diagrams, 0.95 to 1.14 on planted clouds of 64 and 160 points: few bars outlive half of the other points. If
    anything, R2_self errs to the large side.

    R2_pred is that of a ridge regression of the same half-sample trajectories on the other metrics at the shared steps
    (logarithms where all are positive), each run predicted from the others, its penalty chosen among these by their own
    leave-one-out; against the mean of the others; 0 where that is no help. Few runs teach a ridge less than there is to
    learn: the complementarity is an upper bound.

    Args:
        runs: all over the same probes.

    Returns:
        `complementarity_behavior` and `complementarity_geometry`, with `r2_self`, `r2_behavior`, `r2_geometry`; NaN,
        with what is missing in words, for fewer than 4 runs, without subsamples, if R2_self is below 0.2, or where no
        such metric is in all runs.

    Raises:
        ValueError: if the runs share no step.
    """
    if len(runs) < MIN_RUNS:
        return _unknown(f"{len(runs)} run(s) of {MIN_RUNS} that are needed at least.")
    wide = [read_shape(run.table) for run in runs]
    _, steps = trajectories([run.table for run in runs])
    halves = _read_halves(wide)
    if len(halves) < MIN_HALVES:
        return _unknown("It takes the same subsamples of the probes in all runs (tda.subsamples), to tell noise.")
    if not halves.shape[2]:
        return _unknown("The runs do not differ in anything that all of them have.")
    own = predict_self(halves)
    if own < MIN_R2_SELF:
        return _unknown(
            f"Of the differences between these {len(runs)} runs on half of the probes, another half shows "
            f"{100 * max(own, 0):.0f} % again, less than {100 * MIN_R2_SELF:.0f} %: take more probes (probe.size)."
        )
    sentence = (
        f"Of the differences between {len(runs)} trajectories on half of the probes, another half shows "
        f"{100 * own:.0f} % again."
    )
    found = {"r2_self": Finding(own, sentence=sentence)}
    for name, reported, values in (
        ("behavior", "behavioural", [_read_behavior(run.table) for run in runs]),
        ("geometry", "geometric", [_read_geometry(run.table) for run in runs]),
    ):
        known = _at_steps(shared_values(values), steps)
        found |= _compare(halves, known, own, name, reported)
    return found


def _unknown(reason: str, names: Iterable[str] = ("behavior", "geometry")) -> dict[str, Finding]:
    sentence = f"What topology says beyond {' and '.join(names)} cannot be told. {reason}"
    return {f"complementarity_{name}": Finding(math.nan, sentence=sentence) for name in names}


def _read_halves(wide: Sequence[pd.DataFrame]) -> np.ndarray:
    """(B, R, F) log values on random halves, of the columns of a trajectory that are positive on each and differ."""
    columns = shared_logs(wide).columns
    samples = sorted(set.intersection(*(set(one.index) - {-1} for one in wide)))
    values = np.stack([one.reindex(index=samples, columns=columns).to_numpy() for one in wide], axis=1)
    return np.log(values[:, :, (values > 0).all(axis=(0, 1)) & (np.ptp(values, axis=1) > 0).any(axis=0)])


def predict_self(halves: np.ndarray) -> float:
    """R2_self, from (B, R, F) log values on random halves: see `complementarity`."""
    own = halves - halves.mean(axis=1, keepdims=True)
    within = own.var(axis=0, ddof=1).sum(axis=0) / (own.shape[1] - 1)
    return float(1 - (within / _total(own)).mean())


def _total(halves: np.ndarray) -> np.ndarray:
    """(F,) variance over the runs, averaged over the halves."""
    return np.asarray(halves.var(axis=1, ddof=1).mean(axis=0))


def _read_behavior(table: pd.DataFrame) -> pd.DataFrame:
    families = [name for name in table.quantity.unique() if name.startswith(BEHAVIOR_PREDICTOR_FAMILIES)]
    return read_wide(table, [*BEHAVIOR_PREDICTORS, *families], "")


def _read_geometry(table: pd.DataFrame) -> pd.DataFrame:
    return read_wide(table, GEOMETRY_PREDICTORS, overall_layer(table))


def _at_steps(values: pd.DataFrame, steps: np.ndarray) -> pd.DataFrame:
    """Those at the shared steps, on the log scale where all are positive, as the trajectories are."""
    at = values.loc[:, values.columns.get_level_values("step").isin(steps)].copy()
    positive = at.columns[(at > 0).all()]
    at[positive] = np.log(at[positive])
    return at


def _compare(halves: np.ndarray, known: pd.DataFrame, own: float, name: str, reported: str) -> dict[str, Finding]:
    if not len(known.columns):
        return _unknown(
            f"No {reported} metric is in all runs at the shared checkpoints, and differs between them.", [name]
        )
    share = predict_from(known.to_numpy(), halves)
    beyond = (own - max(share, 0.0)) / own
    quantities = sorted(set(known.columns.get_level_values("quantity")))
    metrics = f"{reported} metrics ({', '.join(quantities)})"
    sentence = (
        f"{100 * beyond:.0f} % of what {halves.shape[1]} trajectories reliably differ in is not predicted from "
        f"{metrics}: R2 {share:.2f} of {own:.2f}. An upper bound, as few runs teach a prediction less than there is to "
        "learn."
        if beyond > 0
        else f"All that {halves.shape[1]} trajectories reliably differ in is predicted from {metrics}: R2 {share:.2f}, "
        f"reliable are {own:.2f}."
    )
    return {
        f"complementarity_{name}": Finding(beyond, sentence=sentence),
        f"r2_{name}": Finding(
            share, sentence=f"{reported.capitalize()} metrics predict a left-out run's trajectory with R2 {share:.2f}; "
            "0 is as good as the mean of the other runs.",
        ),
    }  # fmt: skip


def predict_from(known: np.ndarray, halves: np.ndarray) -> float:
    """R2_pred, of (B, R, F) log values on random halves from (R, P) known: see `complementarity`."""
    from sklearn.linear_model import RidgeCV
    from sklearn.model_selection import LeaveOneOut, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    runs = halves.shape[1]
    points = np.moveaxis(halves / np.sqrt(_total(halves)), 1, 0).reshape(runs, -1)
    ridge = make_pipeline(StandardScaler(), RidgeCV(PENALTIES * known.shape[1]))
    predicted = cross_val_predict(ridge, known, points, cv=LeaveOneOut())
    means = (points.sum(axis=0) - points) / (runs - 1)
    return float(1 - ((points - predicted) ** 2).sum() / ((points - means) ** 2).sum())
