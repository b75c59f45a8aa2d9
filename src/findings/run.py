"""The findings of one run, from its table alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from ..metrics.selection import dimensions_of, overall_layer
from .chance import find_chance
from .course import find_course
from .curves import read_velocity
from .finding import Finding, Findings
from .limits import find_limits

FEWEST = 3
"""Checkpoints with pairs below which there is no course."""


def run_findings(table: pd.DataFrame) -> Findings:
    """What happened in a run, by finding and homology dimension, on the mean over the layers.

    Args:
        table: long form, as in `topology.parquet` or from `src.measure.track`; subsamples and draws included.

    Returns:
        The findings of method.md section 4 that the table allows; under the name `limits`, dimension -1, what it does
        not allow and what to beware of. Deterministic: the same table gives the same findings.
    """
    layer = overall_layer(table)
    dimensions = dimensions_of(table, "velocity", "drift")
    found: Findings = {}
    for k in dimensions:
        if len(read_velocity(table, k, layer)) >= FEWEST:
            found |= find_course(table, k, layer)
        found |= find_chance(table, k, layer)
    said = find_limits(table, layer, dimensions)
    if said:
        found["limits", -1] = Finding(math.nan, sentence=" ".join(said))
    return found


HEADLINES = ("excess_share", "peak_ratio", "peak_explained_by")
TOLD = ("excess_early", "excess_late", *HEADLINES, "early_share", "stabilisation_step")


def sentences(found: Findings, names: Sequence[str] = TOLD) -> list[str]:
    """The findings in words, in the order of `names`, dimension by dimension; limits last."""
    dimensions = sorted({k for _, k in found if k >= 0})
    told = [found[name, k].sentence for k in dimensions for name in names if (name, k) in found]
    told += [finding.sentence for (name, _), finding in found.items() if name == "limits"]
    return [sentence for sentence in told if sentence]


def finding_metrics(found: Findings) -> dict[str, float]:
    """MLflow keys and values: `finding/<name>/H<k>`, and its bounds with `_low` and `_high` after the name."""
    values = {
        f"finding/{name}{suffix}/H{k}": value
        for (name, k), finding in found.items()
        for suffix, value in (("", finding.value), ("_low", finding.low), ("_high", finding.high))
    }
    return {key: value for key, value in values.items() if math.isfinite(value)}
