"""The findings of one run, from its table alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from ..metrics.derived import drop_rounding, is_rounding
from ..metrics.second import derive_for_each
from ..metrics.selection import dimensions_of, overall_layer
from ..metrics.table import read_table
from .caveats import find_caveats
from .changed import find_changed
from .curves import MIN_COURSE, read_velocity
from .excess import count_significant, find_excess
from .finding import Finding, RunFindings
from .second import find_second_metric
from .velocity import find_velocity
from .weight_null import find_weights_excess


def run_findings(table: pd.DataFrame) -> RunFindings:
    """What happened in a run, by finding and homology dimension, on the mean over the layers.

    Args:
        table: long form, as in `topology.parquet` or from `src.measure.track`; subsamples and draws included.

    Returns:
        The findings of src/findings/README.md that the table allows; under dimension -1 whether anything changed
        (`changed_share`), what a second metric says beside (`second_metric`), and what the table does not allow and
        what to beware of (`limits`). Nothing is found of velocities that are rounding. Deterministic: the same table
        gives the same findings.

    Raises:
        ValueError: if it is no such table, or has no row.
    """
    table = read_table(table, "table")
    layer = overall_layer(table)
    dimensions = dimensions_of(table, "velocity", "drift")
    kept = derive_for_each(drop_rounding, table)
    own = kept[kept.layer.isin([layer, ""])]  # a curve is looked up many times: not among all layers
    found = find_changed(table)
    for k in dimensions if not is_rounding(table) else []:
        if len(read_velocity(own, k, layer)) >= MIN_COURSE:
            found |= find_velocity(own, k, layer)
        found |= find_excess(own, k, layer) | count_significant(kept, k, layer)
        found |= find_weights_excess(own, k, layer)
    found |= find_second_metric(kept, layer, dimensions)
    caveats = find_caveats(table, layer, dimensions)
    if caveats:
        found["limits", -1] = Finding(math.nan, sentence=" ".join(caveats))
    return found


HEADLINES = ("excess_change", "excess_share", "peak_ratio", "decline_ratio", "peak_explained_by")
REPORTED_FINDINGS = (
    "excess_early", "excess_late", "weights_excess", "independent_excess", "excess_own_scale", *HEADLINES,
    "early_share", "stabilisation_step",
)  # fmt: skip


def sentences(found: RunFindings, names: Sequence[str] = REPORTED_FINDINGS) -> list[str]:
    """The findings in words: whether anything changed; in the order of `names`, dimension by dimension; the rest."""
    dimensions = sorted({k for _, k in found if k >= 0})
    changed = ("changed_share", -1)
    rest = [(name, k) for name, k in found if k < 0 and (name, k) != changed]
    order = [changed, *((name, k) for k in dimensions for name in names), *rest]
    reported = [found[key].sentence for key in order if key in found]
    return [sentence for sentence in reported if sentence]


def finding_metrics(found: RunFindings) -> dict[str, float]:
    """MLflow keys and values: `finding/<name>/H<k>`, and its bounds with `_low` and `_high` after the name.

    What has no dimension is `finding/<name>`.
    """
    values = {
        f"finding/{name}{suffix}{f'/H{k}' if k >= 0 else ''}": value
        for (name, k), finding in found.items()
        for suffix, value in (("", finding.value), ("_low", finding.low), ("_high", finding.high))
    }
    return {key: value for key, value in values.items() if math.isfinite(value)}
