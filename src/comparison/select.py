"""Stored runs: which ones a request means."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..config import RequestError
from ..config.commands import CompareConfig
from ..rundir import RunDirectory
from ..rundir.find import read_mlflow_id, runs_by_mlflow_id
from ..rundir.naming import also_in
from ..system.files import DamagedError
from ..system.invocation import command_line
from ..tracking.queries import read_run, search_runs
from ..tracking.store import Store

if TYPE_CHECKING:
    from mlflow.entities import Run


logger = logging.getLogger(__name__)

CELLS = "tags.kind = 'cell'"

SEED = re.compile(r"[0-9]{1,10}")

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters but line breaks and tabs, and those that set the direction of text."""

DAMAGED = "DAMAGED"
"""The status of a run whose table is not what was written, neither here nor in MLflow."""


@dataclass(frozen=True)
class StoredRun:
    """A run as MLflow knows it and, where it lies on this machine, its directory."""

    id: str
    status: str
    """MLflow's: FINISHED, FAILED, KILLED, RUNNING; or `DAMAGED`"""
    tags: dict[str, str]
    params: dict[str, str]
    directory: RunDirectory | None

    @property
    def name(self) -> str:
        return f"{self.cell[0]} {self.cell[1]} seed{self.cell[2]}"

    @property
    def cell(self) -> tuple[str, str, int]:
        """Model, objective, seed."""
        return self.tags.get("model", "?"), self.tags.get("objective", "?"), int(self.tags.get("seed", 0))

    @property
    def twin(self) -> str | None:
        twin = self.params.get("model.twin", "None")
        return None if twin == "None" else twin

    @property
    def done(self) -> bool:
        return self.status == "FINISHED"

    @property
    def reason(self) -> str:
        """Why it is not done."""
        if self.status == DAMAGED:
            return "damaged"
        message = self.directory.read_status().get("reason") if self.directory else None
        if self.status == "RUNNING":
            message = f"still at work, or killed without a word: then {command_line('sync')} ends it"
        return f"{self.status.lower()}: {message}" if message else self.status.lower()


def find_runs(store: Store, request: CompareConfig) -> list[StoredRun]:
    """The runs that a sweep, a list or a filter means, finished or not, oldest first; no comparison is among them.

    Raises:
        RequestError: if there is none, or one that is named does not exist.
    """
    if request.runs:
        found = [_find_one(store, wanted) for wanted in dict.fromkeys(request.runs)]
    else:
        found = search_runs(store, request.filter or f"{CELLS} and tags.sweep = {_quote(request.sweep or '')}")
        if request.sweep and "`" not in request.sweep:  # those that were done before that sweep began
            found += search_runs(store, f"{CELLS} and tags.`{also_in(request.sweep)}` = 'true'")
        found = [run for run in found if run.data.tags.get("kind") != "comparison"]
    if not found and request.sweep:
        known = sorted({run.data.tags["sweep"] for run in search_runs(store, CELLS) if "sweep" in run.data.tags})
        raise RequestError(f"sweep={request.sweep}: no run of that sweep; there are: {', '.join(known) or 'none yet'}")
    if not found:
        raise RequestError(f"filter={request.filter}: finds no run in {store.address}")
    located = _locate(found)
    if not located:
        raise RequestError(f"none of the {len(found)} runs that were found has a seed; compare others")
    return located


def with_source(store: Store, runs: Sequence[StoredRun]) -> list[StoredRun]:
    """The one run that some analyses measured again, if it can be had, then the finished analyses.

    Raises:
        RequestError: if they have several sources, or none of them is finished.
    """
    sources = sorted({run.tags["source_run"] for run in runs if "source_run" in run.tags})
    if len(sources) > 1:
        raise RequestError(
            f"these are analyses of {len(sources)} runs: choose one by filter=\"tags.source_run = '{sources[0]}'\""
        )
    source = read_run(store, sources[0])
    done = [run for run in runs if run.done and run.tags.get("kind") == "analysis"]
    if not done:
        raise RequestError(f"tags.source_run = '{sources[0]}': none of its analyses is finished")
    return (_locate([source]) if source else []) + done


def _locate(runs: Sequence[Run]) -> list[StoredRun]:
    """The runs with their directories, where these are on this machine."""
    directories, located = runs_by_mlflow_id(), []
    for run in runs:
        tags, params = _printable(run.data.tags), _printable(run.data.params)
        if not SEED.fullmatch(tags.get("seed", "0")):
            logger.warning("run %s: its tag seed=%.40s is no whole number; left out", run.info.run_id, tags["seed"])
            continue
        located.append(StoredRun(run.info.run_id, run.info.status, tags, params, directories.get(run.info.run_id)))
    return located


def _printable(values: Mapping[str, str]) -> dict[str, str]:
    """Tags or parameters, in which others may have written what steers a terminal or turns text around."""
    return {key: CONTROL.sub("\N{REPLACEMENT CHARACTER}", value) for key, value in values.items()}


def _quote(value: str) -> str:
    if "'" in value and '"' in value:
        raise RequestError(f"sweep={value}: MLflow cannot search for both kinds of quotation marks in one name")
    return f'"{value}"' if "'" in value else f"'{value}'"


def _find_one(store: Store, wanted: str) -> Run:
    """The run of a directory, or with an id."""
    directory = RunDirectory(Path(wanted).expanduser())
    try:
        noted = read_mlflow_id(directory)
    except DamagedError as error:
        raise RequestError(f"runs=[{wanted}]: {error}") from error
    run = read_run(store, noted or wanted)
    if run is None:
        here = directory.path.is_dir()
        what = f"MLflow does not know it yet: {command_line('sync')}" if here else "no run directory, no id"
        raise RequestError(f"runs=[{wanted}]: {what} (store: {store.address})")
    return run
