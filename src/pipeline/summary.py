"""What a finished run comes to in a few numbers."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ..config import Config
from ..config.schedule import Schedule
from ..findings import HEADLINES, Evidence, answer_run, sentences
from ..findings.finding import RunFindings
from ..metrics.derived import path_length
from ..metrics.selection import select, steps_of
from .missing import describe_missing_pairs
from .note import BEFORE_AFTER
from .sensitivity import find_sensitivity


def summarize_findings(
    config: Config, schedule: Schedule, table: pd.DataFrame, found: RunFindings, last_step: int, trained: str = ""
) -> dict[str, Any]:
    """All that the note and the terminal say of a run.

    Args:
        table: floors applied.
        last_step: that was trained.
        trained: what was trained of the model, in words.
    """
    return summarize_run(config, schedule, table, last_step) | {
        "findings": sentences(found), "headlines": sentences(found, HEADLINES),
        "sensitivity": find_sensitivity(table, found),
        "answers": answer_run(Evidence(found, table)) if found else [],
        "trained": trained, "missing": describe_missing_pairs(config, schedule),
    }  # fmt: skip


def summarize_run(config: Config, schedule: Schedule, table: pd.DataFrame, last_step: int) -> dict[str, Any]:
    """Behaviour at step 0 and at the last, checkpoints, path lengths: what the note and the terminal show."""
    evaluated = select(table, BEFORE_AFTER).sort_values("step").groupby("quantity")
    lengths = {k: path_length(table, k) for k in config.tda.dimensions}
    return {
        "before_after": {name: _ends(rows, last_step) for name, rows in evaluated},
        "checkpoints": len(schedule.checkpoints),
        "path_length": {f"H{k}": value for k, value in lengths.items() if value is not None},
        "weight_steps": steps_of(table, "weights_excess"),
    }


def _ends(rows: pd.DataFrame, last: int) -> list[float | None]:
    """The values at the first and the last step of the run; None where a step has none: it was not finite."""
    at = rows.set_index("step").value
    return [float(at[step]) if step in at.index else None for step in (0, last)]
