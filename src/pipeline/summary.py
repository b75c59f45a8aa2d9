"""What a finished run comes to in a few numbers."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ..config import Config
from ..config.schedule import Schedule
from ..metrics.derived import path_length
from ..metrics.selection import select, steps_of
from .note import BEFORE_AFTER


def summarize_run(config: Config, schedule: Schedule, table: pd.DataFrame) -> dict[str, Any]:
    """Behaviour before and after, checkpoints, path lengths: what the note and the terminal show."""
    before_after = select(table, BEFORE_AFTER).groupby("quantity").value
    lengths = {k: path_length(table, k) for k in config.tda.dimensions}
    return {
        "before_after": {name: [float(v.iloc[0]), float(v.iloc[-1])] for name, v in before_after},
        "checkpoints": len(schedule.checkpoints),
        "path_length": {f"H{k}": value for k, value in lengths.items() if value is not None},
        "weight_steps": steps_of(table, "weights_excess"),
    }
