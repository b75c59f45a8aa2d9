"""A comparison from stored runs to its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..config.commands import CompareConfig
from ..figures.report import Comparison, Report, render_comparison
from ..figures.sensitivity import Sensitivity, render_sensitivity
from ..findings import find_across, judge_claims, run_findings
from ..metrics.selection import layers_of
from ..rundir import RunDirectory
from ..rundir.naming import comparison_name, directory_of_comparison
from ..rundir.state import initialize
from ..system.files import write_page
from ..system.invocation import command_line
from ..system.version import git_commit
from ..tracking.journal import find_earlier_run
from ..tracking.store import Store, find_store
from ..tracking.tracker import acquire_lock, track_run
from .checks import check_comparable, describe_gaps, describe_settings, describe_steps, label_variants
from .load import choose_diagrams, read_table, set_damaged_apart, track_stored
from .note import write_report_note
from .select import StoredRun, find_runs, with_source


def is_remeasured(found: Sequence[StoredRun]) -> bool:
    """Whether the runs are one cell, measured once more by `src.analyze`."""
    return len({run.cell for run in found}) == 1 and any(run.tags.get("kind") == "analysis" for run in found)


def compare_runs(store: Store, request: CompareConfig, found: Sequence[StoredRun]) -> Comparison:
    """Everything that is found across runs of several cells; nothing is written.

    Raises:
        RequestError: if they cannot be compared.
    """
    done = sorted((run for run in found if run.done), key=lambda run: run.cell)
    check_comparable(done)
    runs = [track_stored(store, run) for run in done]
    limits, across = describe_steps(runs), find_across(runs)
    return Comparison(
        name=comparison_name(request), runs=runs, ids=[run.id for run in done], group_findings=across,
        claims=judge_claims(runs, across),
        run_findings={run.name: run.findings for run in runs}, gaps=describe_gaps(found),
        settings=describe_settings(done), limits=limits, diagrams=choose_diagrams(store, done, runs),
    )  # fmt: skip


def study_run(store: Store, found: Sequence[StoredRun]) -> Sensitivity:
    """One run as it was measured and as `src.analyze` measured it again.

    Raises:
        RequestError: if these are analyses of more than one run.
    """
    runs = with_source(store, found)
    variants = label_variants(runs)
    tables = {variant: read_table(store, run) for variant, run in variants.items()}
    base = next(iter(tables.values()))
    return Sensitivity(
        run=runs[0].name, variants={variant: run_findings(table) for variant, table in tables.items()},
        layers={layer: run_findings(base[base.layer.isin([layer, ""])]) for layer in layers_of(base)},
        ids={variant: run.id for variant, run in variants.items()},
    )  # fmt: skip


@dataclass(frozen=True)
class Compared:
    """A comparison that was written and logged."""

    found: Comparison | Sensitivity
    """Of several cells or, where all runs are of one, how its findings hang on how it was measured."""
    report: Report
    directory: RunDirectory
    damaged: str
    """Which runs it lacks because their tables are damaged, and what to do; empty if none."""


def write_comparison(request: CompareConfig) -> Compared:
    """Find and check the runs, compare them, write and log the report.

    Raises:
        RequestError: if there are no such runs, or they cannot be compared.
    """
    store = find_store(request.tracking)
    stored, damaged = set_damaged_apart(store, find_runs(store, request))
    found: Comparison | Sensitivity
    if is_remeasured(stored):
        found = study_run(store, stored)
        report = render_sensitivity(found)
    else:
        found = compare_runs(store, request, stored)
        report = render_comparison(found)
    directory = directory_of_comparison(request)
    log_report(store, request, report, directory)
    lacking = (
        "\n".join(damaged) + "\nThe report is of the other runs. Measure the clouds of these again "
        f"({command_line('analyze')}), make them again with force=true, or name those that are to be compared "
        "(runs=[...])"
    )
    return Compared(found, report, directory, lacking if damaged else "")


def log_report(store: Store, request: CompareConfig, report: Report, directory: RunDirectory) -> None:
    """Page and pictures into the directory and into MLflow, in place of an earlier comparison of the same name."""
    tags = {"kind": "comparison", "sweep": comparison_name(request), "git_commit": git_commit()}
    lock, replaces = acquire_lock(directory), find_earlier_run(directory)
    initialize(directory, request, reset=True)
    with track_run(store, request, directory, tags, replaces, lock) as tracker:
        write_page(directory.report, report.page)
        for name, picture in report.pictures.items():
            (directory.path / name).write_bytes(picture)
        for name in (directory.report.name, *report.pictures):
            tracker.log_artifact(directory.path / name)
        tracker.write_note(write_report_note(report))
    directory.write_status("done", runs=list(report.ids))
