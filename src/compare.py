"""`python -m src.compare`: findings across the runs of a sweep, figures, one HTML report. No training, no torch."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from .command import launch
from .config import TrackingConfig
from .integrity import replacing
from .options import CompareConfig
from .resolve import resolve_comparison
from .rundir import RunDirectory, begin, comparison_name, place_comparison

if TYPE_CHECKING:
    import pandas as pd

    from .figures.report import Comparison, Report
    from .figures.sensitivity import Sensitivity
    from .runs import StoredRun
    from .store import Store


def compare(composed: DictConfig) -> None:
    """Compose, find and check the runs, say what is found across them, write and log the report."""
    request = resolve_comparison(composed)
    from .figures.report import render_comparison
    from .figures.sensitivity import render_sensitivity
    from .report import show_report
    from .runs import find_runs
    from .store import find_store

    store = find_store(request.tracking)
    found = find_runs(store, request)
    again = len({run.cell for run in found}) == 1 and any(run.tags.get("kind") == "analysis" for run in found)
    report = (
        render_sensitivity(study_run(store, found)) if again
        else render_comparison(compare_runs(store, request, found))
    )  # fmt: skip
    directory = place_comparison(request)
    log_report(store, request, report, directory)
    show_report(report, directory.report)


def compare_runs(store: Store, request: CompareConfig, found: Sequence[StoredRun]) -> Comparison:
    """Everything that is told of runs of several cells; nothing is written.

    Raises:
        RequestError: if they cannot be compared.
    """
    from .comparable import check_comparable, describe_gaps, describe_settings, describe_steps
    from .figures.report import Comparison
    from .findings import find_across
    from .runs import choose_diagrams, track_stored

    done = sorted((run for run in found if run.done), key=lambda run: run.cell)
    check_comparable(done)
    runs = [track_stored(store, run) for run in done]
    limits = describe_steps(runs)
    diagrams, notes = choose_diagrams(store, done, runs)
    return Comparison(
        name=comparison_name(request), runs=runs, ids=[run.id for run in done], across=find_across(runs),
        own={run.name: run.findings for run in runs}, gaps=describe_gaps(found), settings=describe_settings(done),
        limits=limits, diagrams=diagrams, diagram_notes=notes,
    )  # fmt: skip


def study_run(store: Store, found: Sequence[StoredRun]) -> Sensitivity:
    """One run as it was measured and as `src.analyze` measured it again.

    Raises:
        RequestError: if these are analyses of more than one run.
    """
    from .comparable import describe_ways
    from .figures.sensitivity import Sensitivity
    from .findings import run_findings
    from .measure.table import MEAN
    from .runs import read_table, with_source

    runs = with_source(store, found)
    ways = describe_ways(runs)
    tables = {way: read_table(store, run) for way, run in ways.items()}
    base = next(iter(tables.values()))
    layers = sorted(set(base.layer) - {"", MEAN})
    return Sensitivity(
        run=runs[0].name, ways={way: run_findings(table) for way, table in tables.items()},
        layers={layer: run_findings(base[base.layer.isin([layer, ""])]) for layer in layers},
        ids={way: run.id for way, run in ways.items()},
    )  # fmt: skip


def log_report(store: Store, request: CompareConfig, report: Report, directory: RunDirectory) -> None:
    """Page and pictures into the directory and into MLflow, in place of an earlier comparison of the same name."""
    from .journal import tracked_as
    from .report import write_report_note
    from .tracking import git_commit, occupy, track_run

    tags = {"kind": "comparison", "sweep": comparison_name(request), "git_commit": git_commit()}
    held, replaces = occupy(directory), tracked_as(directory)
    begin(directory, request, afresh=True)
    with track_run(store, request, directory, tags, replaces, held) as tracker:
        with replacing(directory.report) as partial:
            partial.write_text(report.page, encoding="utf-8")
        for name, picture in report.pictures.items():
            (directory.path / name).write_bytes(picture)
        for name in (directory.report.name, *report.pictures):
            tracker.log_artifact(directory.path / name)
        tracker.write_note(write_report_note(report))
    directory.write_status("done", runs=list(report.ids))


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
    from .runs import CELLS, find_runs, tabulate_runs
    from .store import find_store

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
