"""What the topology of runs says beyond behaviour and plain geometry.

The table of a run holds random halves b of the probes, the same in every run. R2_self is the share of the differences
between trajectories on one half that another half shows again; r, not r^2, of the two: what a predictor without noise
could reach. With u the log value of a run less the mean over the R runs on the same half,

    R2_self = 1 - mean over columns of within / total,
    within = sum over runs of var_b(u) / (R - 1), total = mean over b of sum over runs of u^2 / (R - 1).

What an easy half does to all runs alike cancels in u. Random halves have half of their probes in common, disjoint ones
none, so that within is too small by a factor between 1 (the common probes carry nothing over) and 2 (all is linear in
the probes), by Hoeffding's decomposition (doi:10.1214/aoms/1177730196). It is close to 1 for distances of diagrams,
0.95 to 1.14 on planted clouds of 64 and 160 points: few bars outlive half of the other points. If anything, R2_self
errs to the large side.

R2_pred is that of a ridge regression of the same half-sample trajectories on the other metrics at the shared steps
(logarithms where all are positive), each run predicted from the others, its penalty chosen among these by
leave-one-out; against the mean of the others; 0 where that is no help. Few runs teach a ridge less than there is to
learn: the complementarity is an upper bound.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..metrics.selection import overall_layer
from .finding import Finding
from .trajectory import Tracked, read_shape, read_wide, shared_logs, shared_values, trajectories
from .wording.complement import (
    describe_complementarity,
    describe_few_runs,
    describe_missing_halves,
    describe_missing_metrics,
    describe_prediction,
    describe_r2_self,
    describe_unknown,
    describe_unreliable,
)
from .wording.trajectory import describe_alike_runs

MIN_RUNS = 6
"""Of 4 runs, nothing of which was beyond behaviour, 43 % seemed to be; of 6, 11 %; of 15, 4 %."""
MIN_R2_SELF = 0.2
MIN_HALVES = 2
BEHAVIOR_PREDICTORS = ("train_loss", "kl_to_base")
BEHAVIOR_PREDICTOR_FAMILIES = ("eval_loss_", "preference_accuracy_")
GEOMETRY_PREDICTORS = (
    "displacement", "cka_to_base", "effective_rank", "participation_ratio", "intrinsic_dimension", "anisotropy",
    "mean_norm", "distance_change", "scale",
)  # fmt: skip
FAMILIES = ("behavior", "geometry")
"""of the metrics that topology is compared with"""
PENALTIES = np.logspace(-2, 4, 13)
"""of the ridge, times the number of columns: from next to none to next to no prediction"""


def complementarity(runs: Sequence[Tracked]) -> dict[str, Finding]:
    """(R2_self - R2_pred) / R2_self: how much of what runs reliably differ in is not predicted by other metrics.

    Args:
        runs: all over the same probes.

    Returns:
        `complementarity_behavior` and `complementarity_geometry`, with `r2_self`, `r2_behavior`, `r2_geometry`; NaN,
        with what is missing in words, for fewer than 6 runs, without subsamples, if R2_self is below 0.2, or where no
        such metric is in all runs.

    Raises:
        ValueError: if the runs share no step.
    """
    if len(runs) < MIN_RUNS:
        return _report_unknown(describe_few_runs(len(runs), MIN_RUNS))
    wide = [read_shape(run.shape) for run in runs]
    _, steps = trajectories([run.shape for run in runs])
    halves = _read_halves(wide)
    if len(halves) < MIN_HALVES:
        return _report_unknown(describe_missing_halves())
    if not halves.shape[2]:
        return _report_unknown(describe_alike_runs())
    r2_self = predict_self(halves)
    if r2_self < MIN_R2_SELF:
        return _report_unknown(describe_unreliable(r2_self, MIN_R2_SELF, len(runs)))
    found = {"r2_self": Finding(r2_self, sentence=describe_r2_self(r2_self, len(runs)))}
    for family, read in (("behavior", _read_behavior), ("geometry", _read_geometry)):
        predictors = _at_steps(shared_values([read(run.table) for run in runs]), steps)
        found |= _compare(halves, predictors, r2_self, family)
    return found


def _report_unknown(reason: str, families: Sequence[str] = FAMILIES) -> dict[str, Finding]:
    sentence = describe_unknown(reason, families)
    return {f"complementarity_{family}": Finding(math.nan, sentence=sentence) for family in families}


def _read_halves(wide: Sequence[pd.DataFrame]) -> np.ndarray:
    """(B, R, F) log values on random halves, of the columns of a trajectory that are positive on each and differ."""
    columns = shared_logs(wide).columns
    samples = sorted(set.intersection(*(set(one.index) - {-1} for one in wide)))
    values = np.stack([one.reindex(index=samples, columns=columns).to_numpy() for one in wide], axis=1)
    return np.log(values[:, :, (values > 0).all(axis=(0, 1)) & (np.ptp(values, axis=1) > 0).any(axis=0)])


def predict_self(halves: np.ndarray) -> float:
    """R2_self, from (B, R, F) log values on random halves: see the top of this file."""
    deviations = halves - halves.mean(axis=1, keepdims=True)
    within = deviations.var(axis=0, ddof=1).sum(axis=0) / (deviations.shape[1] - 1)
    return float(1 - (within / _total(deviations)).mean())


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
    shared = values.loc[:, values.columns.get_level_values("step").isin(steps)].copy()
    positive = shared.columns[(shared > 0).all()]
    shared[positive] = np.log(shared[positive])
    return shared


def _compare(halves: np.ndarray, predictors: pd.DataFrame, r2_self: float, family: str) -> dict[str, Finding]:
    if not len(predictors.columns):
        return _report_unknown(describe_missing_metrics(family), [family])
    r2 = predict_from(predictors.to_numpy(), halves)
    unpredicted = (r2_self - max(r2, 0.0)) / r2_self
    quantities = sorted(set(predictors.columns.get_level_values("quantity")))
    sentence = describe_complementarity(
        unpredicted, r2=r2, r2_self=r2_self, runs=halves.shape[1], family=family, quantities=quantities
    )
    return {
        f"complementarity_{family}": Finding(unpredicted, sentence=sentence),
        f"r2_{family}": Finding(r2, sentence=describe_prediction(family, r2)),
    }


def predict_from(predictors: np.ndarray, halves: np.ndarray) -> float:
    """R2_pred, of (B, R, F) log values on random halves from (R, P) predictors: see the top of this file."""
    from sklearn.linear_model import RidgeCV
    from sklearn.model_selection import LeaveOneOut, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    runs = halves.shape[1]
    points = np.moveaxis(halves / np.sqrt(_total(halves)), 1, 0).reshape(runs, -1)
    ridge = make_pipeline(StandardScaler(), RidgeCV(PENALTIES * predictors.shape[1]))
    predicted = cross_val_predict(ridge, predictors, points, cv=LeaveOneOut())
    means = (points.sum(axis=0) - points) / (runs - 1)
    return float(1 - ((points - predicted) ** 2).sum() / ((points - means) ** 2).sum())
