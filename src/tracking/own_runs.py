"""The MLflow runs that a journal made: found, made, and those deleted that another one takes the place of."""

from __future__ import annotations

import logging
from pathlib import Path

from .store import Store, first_line

# isort: split
# Behind the store, which sets the environment that mlflow is imported in.
from mlflow.entities import LifecycleStage, Run, ViewType
from mlflow.exceptions import MlflowException

from ..rundir import RunDirectory
from ..system.files import replacing
from ..system.jsonl import Entry
from .journal import START_ID, EarlierRun
from .refusals import is_refusal

CELL_TAGS = ("kind", "model", "objective", "tda", "seed", "source_run")
"""What two starts of one cell have in common."""

logger = logging.getLogger(__name__)


def find_own_runs(store: Store, start: Entry) -> list[str]:
    """Ids of the runs that a start made: none yet, one, or more where the answer to a request was lost."""
    start_id = start["tags"].get(START_ID, "")
    wanted = f"tags.{START_ID} = '{start_id}'" if start_id else f"attributes.start_time = {start['timestamp']}"
    found = store.client.search_runs([store.experiment], wanted, ViewType.ACTIVE_ONLY)
    return [
        run.info.run_id for run in found
        if run.info.run_name == start["name"] and run.data.tags.get(START_ID, "") == start_id
    ]  # fmt: skip


def make_run(store: Store, start: Entry) -> str:
    """Id of a new run for a start."""
    made = store.client.create_run(
        store.experiment, start_time=start["timestamp"], tags=start["tags"], run_name=start["name"]
    )
    return str(made.info.run_id)


def note_id(run: RunDirectory, run_id: str) -> None:
    """Let the run directory hold the id of its MLflow run."""
    if not run.mlflow_run_id.exists() or run.mlflow_run_id.read_bytes() != run_id.encode():
        with replacing(run.mlflow_run_id) as partial:
            partial.write_text(run_id)


def delete_run(store: Store, start: Entry, earlier: EarlierRun, directory: Path) -> None:
    """End and delete a run that another one takes the place of: one that a journal of this directory made, no other."""
    client, run_id = store.client, earlier.run_id
    try:
        found = client.get_run(run_id)
        if not _is_made_here(found, earlier, start, store.experiment):
            logger.warning("the MLflow run %s is no earlier start of %s, and stays", run_id, directory)
            return
        if found.info.status == "RUNNING":
            client.set_terminated(run_id, "KILLED")
        if found.info.lifecycle_stage != LifecycleStage.DELETED:
            client.delete_run(run_id)
    except MlflowException as error:
        if not is_refusal(error):
            raise
        logger.info("the earlier MLflow run %s stays as it is: %s", run_id, first_line(error))  # of another store


def _is_made_here(found: Run, earlier: EarlierRun, start: Entry, experiment: str) -> bool:
    """Whether the tag says so; of a version that gave none, whether it is the same cell."""
    theirs = found.data.tags.get(START_ID, "")
    if theirs or earlier.start_id:
        return bool(theirs == earlier.start_id)
    cells = [{key: tags.get(key) for key in CELL_TAGS} for tags in (start["tags"], found.data.tags)]
    return cells[0] == cells[1] and (found.info.run_name, found.info.experiment_id) == (start["name"], experiment)
