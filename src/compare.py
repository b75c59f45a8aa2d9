"""`python -m src.compare`: findings across the runs of a sweep, figures, one HTML report. No training, no torch."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from .cli import launch
from .config import RequestError, TrackingConfig
from .config.commands import CompareConfig
from .config.resolve import resolve_comparison

if TYPE_CHECKING:
    import pandas as pd


def compare(composed: DictConfig) -> None:
    """Compose, find and check the runs, compare them, write and log the report.

    Raises:
        RequestError: at the end, naming each run that the report lacks because its table is damaged.
    """
    request = resolve_comparison(composed)
    # Late: a wrong request must not wait for pandas and MLflow.
    from .comparison.build import write_comparison
    from .comparison.note import show_report

    compared = write_comparison(request)
    show_report(compared.report, compared.directory.report)
    if compared.damaged:
        raise RequestError(compared.damaged)


def load_runs(sweep: str | None = None, filter: str | None = None) -> pd.DataFrame:
    """Every number of every finished run, from the store that MLFLOW_TRACKING_URI or multirun/ is.

    Args:
        sweep: name of a sweep; its cells are read.
        filter: an MLflow search filter instead, such as "tags.model = 'tiny'". Neither: every cell there is.

    Returns:
        Columns run (MLflow's id), model, stage, objective, seed, tda, and those of `topology.parquet`: step,
        pair_step, layer, dimension, quantity, sample, value, low, high.

    Raises:
        ValueError: if both are given, or there is no such run, or another version wrote its table.
    """
    from .comparison.load import tabulate_runs
    from .comparison.select import CELLS, find_runs
    from .tracking.store import find_store

    if sweep and filter:
        raise ValueError(f"sweep={sweep}, filter={filter}: give one of the two")
    store = find_store(TrackingConfig())
    request = CompareConfig(sweep=sweep, filter=filter or (None if sweep else CELLS))
    return tabulate_runs(store, [run for run in find_runs(store, request) if run.done])


def quote_filter(word: str) -> str:
    """An MLflow filter as Hydra reads it: in quotation marks, for it has spaces and equals signs of its own."""
    key, _, value = word.partition("=")
    if key != "filter" or value[:1] in "\"'":
        return word
    return f'{key}="{value.replace(chr(34), chr(92) + chr(34))}"'


if __name__ == "__main__":
    sys.argv[1:] = [quote_filter(word) for word in sys.argv[1:]]
    launch(compare, "compare", CompareConfig)
