"""What the Trainer of transformers noted of a training: its numbers under the names that a run's behaviour has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .checkpoint import read_trainer_state
from .find import Series

NAMES = {"loss": "train_loss", "learning_rate": "learning_rate", "grad_norm": "grad_norm"}
"""Of the Trainer's numbers, and what they are called here."""


def read_logged(values: Mapping[str, Any]) -> dict[str, float]:
    """Those of a line of the Trainer's log that have a name here."""
    return {NAMES[key]: float(value) for key, value in values.items() if key in NAMES}


def read_history(series: Series) -> Iterator[tuple[int, dict[str, float]]]:
    """Step and numbers of each line that the last checkpoint's trainer noted; none where no trainer noted any."""
    last = list(series.checkpoints.values())[-1]
    lines = read_trainer_state(last).get("log_history")
    for line in lines if isinstance(lines, list) else []:
        if isinstance(line, dict) and isinstance(line.get("step"), int):
            numbers = {key: value for key, value in line.items() if isinstance(value, (int, float))}
            if found := read_logged(numbers):
                yield line["step"], found
