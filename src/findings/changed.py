"""Did the activations change at all between the base and the last checkpoint?"""

from __future__ import annotations

import pandas as pd
from scipy.stats import false_discovery_control

from ..metrics.selection import select
from ..metrics.table import FLOOR_FACTOR, MEAN
from ..statistics import ALPHA
from .finding import Finding, RunFindings
from .wording.changed import describe_changed

FLOOR = "floor/base_displacement"


def find_changed(table: pd.DataFrame) -> RunFindings:
    """Share of the layers that changed, as `changed_share`, dimension -1; nothing where that was not tested.

    Beside it `moved_share`, of those whose points moved beyond rounding, whether or not more alike than errors do.

    A layer changed if the paired permutation test says so after Benjamini-Hochberg over the layers and, where a floor
    was measured, its movement is above 3 x the floor. Layers hang together, and positively: the correction holds.
    """
    rows = select(table, ("base_displacement", "base_p", FLOOR))
    wide = rows[rows.layer != MEAN].pivot_table(index="layer", columns="quantity", values="value")
    if not {"base_displacement", "base_p"} <= set(wide.columns):
        return {}
    wide = wide.dropna(subset=["base_displacement", "base_p"])
    significant = false_discovery_control(wide.base_p) < ALPHA
    has_floor = FLOOR in wide and bool(wide[FLOOR].notna().all())
    moved = wide.base_displacement > FLOOR_FACTOR * wide[FLOOR] if has_floor else wide.base_displacement > 0
    changed, rounded = int((significant & moved).sum()), int((significant & ~moved).sum())
    first, last = int(table.step.min()), int(rows.step.max())
    sentence = describe_changed(changed, len(wide), (first, last), ALPHA, FLOOR_FACTOR if has_floor else None, rounded)
    return {
        ("changed_share", -1): Finding(changed / len(wide), called=changed > 0, sentence=sentence),
        ("moved_share", -1): Finding(float(moved.mean())),
    }
