"""From a run directory to MLflow: all that spool and journal hold, in order, nothing missing and nothing twice.

A request whose answer was lost is made again, so each is one that may be made twice: a point is known by key, step,
timestamp and value, a picture by its name, a run by its name and the millisecond of its start.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from uuid import UUID

from .store import Store, first_line

# isort: split
# Behind the store, which sets the environment that mlflow is imported in.
from mlflow.entities import Metric, Param, ViewType
from mlflow.exceptions import MlflowException
from PIL import Image
from requests import HTTPError

from ..rundir import RunDirectory
from ..system.files import DamagedError, check_file, replacing
from ..system.jsonl import Entry, read_jsonl
from .journal import check_journal, file_of, read_start
from .offsets import UploadOffsets, load_offsets, save_offsets

BATCH = 1000
"""Metrics that MLflow takes in one call."""

PARAMS = 100
"""Parameters that MLflow takes in one call."""

THUMBNAIL = 256
"""Pixels along the longer side of the small picture that MLflow's image grid shows first."""

CELL_TAGS = ("kind", "model", "objective", "tda", "seed", "source_run")
"""What two starts of one cell have in common."""

REFUSALS = (
    "INVALID_PARAMETER_VALUE",
    "BAD_REQUEST",
    "RESOURCE_DOES_NOT_EXIST",
    "RESOURCE_ALREADY_EXISTS",
    "INVALID_STATE",
)
"""Answers that stay the same however often one asks: the run was deleted, a name is not allowed."""

logger = logging.getLogger(__name__)


class OutageError(RuntimeError):
    """The store does not answer, or answers that something is wrong with itself. Worth another try later."""


class Uploader:
    """Brings one run directory to one store."""

    def __init__(self, store: Store, run: RunDirectory) -> None:
        start = read_start(run)
        if start is None:
            raise ValueError(f"{run.path}: its journal has no beginning")
        check_journal(run)
        self.client, self.experiment = store.client, store.experiment
        self.run, self.start, self.refused = run, start, 0
        self.offsets = load_offsets(run, self.client.tracking_uri, start["timestamp"])
        self.last_success = time.monotonic()
        """When the store last took something."""
        self._known = False  # whether the store was asked if it still has the run

    def upload(self) -> None:
        """Bring the store whatever is there by now.

        Raises:
            OutageError: if it could not take all; the next call goes on from there.
            DamagedError: if spool or journal are not what was written.
        """
        if self.offsets.run_id and not self._known:
            self.forget_if_unknown()
        if not self.offsets.run_id:
            self._begin()
        self._known = True
        # The journal before the spool: where it has its last line, the spool is complete.
        entries = list(read_jsonl(self.run.journal, self.offsets.journal))
        self._send_metrics()
        for entry, behind in entries:
            for key, value in entry.get("tags", {}).items():
                self._request(f"the tag {key}", self.client.set_tag, self.offsets.run_id, key, value)
            if "resume" in entry:
                self._request("that the run goes on", self.client.update_run, self.offsets.run_id, "RUNNING")
                self._save_offsets(ended=False)
            if "end" not in entry:
                self._save_offsets(journal=behind)
        trouble = self._send_files()
        if entries and "end" in entries[-1][0]:
            self._end(*entries[-1])
        if trouble:
            raise OutageError(first_line(trouble)) from trouble
        if self.offsets.ended:
            self._save_offsets(done=True)

    def forget_if_unknown(self) -> bool:
        """Begin from nothing where the store, whose database was lost, has no such run; whether that is so.

        Raises:
            OutageError: if it does not answer.
        """
        try:
            self.client.get_run(self.offsets.run_id)
        except (MlflowException, OSError) as error:
            if getattr(error, "error_code", None) != "RESOURCE_DOES_NOT_EXIST":
                raise OutageError(first_line(error)) from error
            logger.warning("MLflow has no run %s any more; all of %s is sent again", self.offsets.run_id, self.run.path)
            self._save_offsets(**asdict(UploadOffsets(self.offsets.store, self.offsets.started)))
            return True
        if not self.run.mlflow_run_id.exists() or self.run.mlflow_run_id.read_bytes() != self.offsets.run_id.encode():
            self._write_id(self.offsets.run_id)  # it was damaged
        return False

    def _write_id(self, run_id: str) -> None:
        with replacing(self.run.mlflow_run_id) as partial:
            partial.write_text(run_id)

    def _begin(self) -> None:
        start = self.start
        try:
            if start["replaces"]:
                self._delete_replaced(start["replaces"])
            # An earlier try may have made the run without its answer reaching us.
            run_id = (
                next(iter(self._duplicate_runs()), None)
                or self.client.create_run(
                    self.experiment, start_time=start["timestamp"], tags=start["tags"], run_name=start["name"]
                ).info.run_id
            )
        except (MlflowException, OSError) as error:
            raise OutageError(first_line(error)) from error
        params = [Param(key, value) for key, value in start["params"].items()]
        for first in range(0, len(params), PARAMS):
            some = params[first : first + PARAMS]
            self._request("parameters", self.client.log_batch, run_id, params=some)
        self._write_id(run_id)
        self._save_offsets(run_id=run_id)

    def _duplicate_runs(self) -> list[str]:
        """Runs that this start made: one, or more where the answer to a request was lost."""
        same_time = f"attributes.start_time = {self.start['timestamp']}"
        found = self.client.search_runs([self.experiment], same_time, ViewType.ACTIVE_ONLY)
        return [duplicate.info.run_id for duplicate in found if duplicate.info.run_name == self.start["name"]]

    def _delete_replaced(self, run_id: str) -> None:
        """End and delete a run that another one takes the place of: an earlier start of the same cell, no other run."""
        try:
            found = self.client.get_run(run_id)
            ours, theirs = ({key: tags.get(key) for key in CELL_TAGS} for tags in (self.start["tags"], found.data.tags))
            names = found.info.run_name, found.info.experiment_id
            if ours != theirs or names != (self.start["name"], self.experiment):
                logger.warning("the MLflow run %s is no earlier start of %s, and stays", run_id, self.run.path)
                return
            if found.info.status == "RUNNING":
                self.client.set_terminated(run_id, "KILLED")
            self.client.delete_run(run_id)
        except MlflowException as error:
            if not _is_refusal(error):
                raise
            logger.info("the earlier MLflow run %s stays as it is: %s", run_id, first_line(error))  # of another store

    def _send_metrics(self) -> None:
        points: list[Metric] = []
        behind = self.offsets.metrics
        for line, behind in read_jsonl(self.run.spool, self.offsets.metrics):
            points += [Metric(key, value, line["timestamp"], line["step"]) for key, value in line["metrics"].items()]
            if len(points) >= BATCH:
                self._send_points(points, behind)
                points = []
        self._send_points(points, behind)

    def _send_points(self, points: list[Metric], behind: int) -> None:
        """In as few calls as MLflow allows, then save how far the spool was read."""
        for first in range(0, len(points), BATCH):
            some = points[first : first + BATCH]
            self._request("metrics", self.client.log_batch, self.offsets.run_id, metrics=some)
        self._save_offsets(metrics=behind)

    def _send_files(self) -> Exception | None:
        """Upload what is next until something goes wrong; a run whose files have no place still ends as what it was."""
        for entry, behind in read_jsonl(self.run.journal, self.offsets.artifacts):
            try:
                if "artifact" in entry:
                    self._request(entry["artifact"], self._upload_artifact, entry)
                if "picture" in entry:
                    self._request(entry["picture"], self._upload_image, entry)
            except Exception as error:  # artifacts go where the server says, and each such place has errors of its own
                return error
            self._save_offsets(artifacts=behind)
        return None

    def _upload_artifact(self, entry: Entry) -> None:
        path = file_of(self.run, entry["artifact"])
        check_file(path)
        self.client.log_artifact(self.offsets.run_id, str(path), entry["folder"])

    def _upload_image(self, entry: Entry) -> None:
        """What `log_image` does, but under the same names at every try: the image grid reads them."""
        key, step, at = entry["key"].replace("/", "~"), entry["step"], entry["timestamp"]
        name = f"{key}+step+{step}+timestamp+{at}+{UUID(int=step)}"
        path = file_of(self.run, entry["picture"])
        with tempfile.TemporaryDirectory() as folder:
            full, small = Path(folder, f"{name}.png"), Path(folder, f"{name}+compressed.webp")
            check_file(path)
            with Image.open(path) as picture:
                picture.save(full)
                picture.thumbnail((THUMBNAIL, THUMBNAIL))
                picture.save(small)
            for path in (full, small):
                self.client.log_artifact(self.offsets.run_id, str(path), "images")
        self.client.set_tag(self.offsets.run_id, "mlflow.loggedImages", "True")

    def _end(self, entry: Entry, behind: int) -> None:
        try:
            for duplicate in self._duplicate_runs():
                if duplicate != self.offsets.run_id:
                    self._delete_replaced(duplicate)
        except (MlflowException, OSError) as error:
            raise OutageError(first_line(error)) from error
        run_id, status, at = self.offsets.run_id, entry["end"], entry["timestamp"]
        self._request("the end of the run", self.client.set_terminated, run_id, status, at)
        self._save_offsets(journal=behind, ended=True)

    def _request(self, what: str, request: Callable[..., object], *args: object, **kwargs: object) -> None:
        """Make a request that may be made twice; what is refused for good is left out, and logged once.

        Raises:
            OutageError: if it is worth another try.
        """
        try:
            request(*args, **kwargs)
        except (MlflowException, OSError, DamagedError) as error:
            if not _is_refusal(error):
                raise OutageError(first_line(error)) from error
            self.refused += 1
            if self.refused == 1:
                logger.warning("MLflow refuses %s, which is left out: %s", what, first_line(error))
        self.last_success = time.monotonic()

    def _save_offsets(self, **offsets: int | str | bool) -> None:
        save_offsets(self.run, self.offsets, **offsets)


def _is_refusal(error: Exception) -> bool:
    if isinstance(error, MlflowException):
        return error.error_code in REFUSALS
    if isinstance(error, HTTPError) and error.response is not None:
        return error.response.status_code in (400, 413, 422)  # 413: a proxy that lets no large file through
    return isinstance(error, (FileNotFoundError, DamagedError))  # deleted from the run directory since, or damaged
