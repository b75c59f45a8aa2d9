"""Did the topology change more than random updates of the trained weights would have changed it?"""

from __future__ import annotations

import pandas as pd

from .curves import read_curve
from .finding import Finding, RunFindings
from .wording.weight_null import describe_agreement, describe_disagreement, describe_weights_excess

MAX_DISAGREEMENT = 0.2
"""By how much the excess against smooth movement may differ from that against random updates, as a share of either."""


def find_weights_excess(table: pd.DataFrame, k: int, layer: str) -> RunFindings:
    """The mean excess where it was measured, beside that against smooth movement at the same checkpoints."""
    weights, smooth = (read_curve(table, name, k, layer) for name in ("weights_excess", "excess"))
    if not len(weights):
        return {}
    value = float(weights.values.mean())
    sentence = describe_weights_excess(value, [int(step) for step in weights.steps], k)
    both = set(weights.steps) & set(smooth.steps)
    if both:
        ours, theirs = (float(curve.values[[s in both for s in curve.steps]].mean()) for curve in (weights, smooth))
        agree = max(ours, theirs) <= (1 + MAX_DISAGREEMENT) * min(ours, theirs)
        describe = describe_agreement if agree else describe_disagreement
        sentence += " " + describe(ours, theirs, MAX_DISAGREEMENT)
    return {("weights_excess", k): Finding(value, sentence=sentence)}
