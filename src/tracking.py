"""MLflow, and its only importer: the run, its batches, the spool they go through first."""

from __future__ import annotations

import json
import logging
import math
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

# A research tool on a cluster tells nobody what it does, and finds out soon that a server is gone.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "1")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "5")

from filelock import FileLock
from mlflow import MlflowClient
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException
from PIL import Image

from .config import Config, RequestError, TrackingConfig
from .resolve import flatten, plain
from .rundir import ROOT, RunDirectory, run_name

BATCH = 1000
"""Metrics that MLflow takes in one call."""

Store = tuple[MlflowClient, str]
"""A client and the id of the experiment."""

logger = logging.getLogger(__name__)


def store_uri(tracking: TrackingConfig) -> str:
    """Where the numbers go: the configuration, else MLFLOW_TRACKING_URI, else a database under multirun/."""
    return tracking.uri or os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{ROOT.resolve()}/mlflow.db"


def open_store(tracking: TrackingConfig) -> Store:
    """A client and the id of the experiment, both made if they are new.

    Raises:
        RequestError: if the store cannot be reached.
    """
    uri = store_uri(tracking)
    for chatty in ("alembic", "mlflow"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # each retry would be a line
    ROOT.mkdir(exist_ok=True)
    try:
        # Two processes that migrate one fresh database at once break it.
        with FileLock(ROOT / ".mlflow.lock"):
            client = MlflowClient(uri)
            found = client.get_experiment_by_name(tracking.experiment)
            if found is None:
                # Next to a database artifacts would land in the current directory; a server has its own place.
                artifacts = (ROOT / "mlartifacts").resolve().as_uri() if "://" in uri and not _is_server(uri) else None
                return client, client.create_experiment(tracking.experiment, artifacts)
            return client, str(found.experiment_id)
    except MlflowException as error:
        reason = str(error).splitlines()[0]
        raise RequestError(
            f"tracking.uri={uri}: cannot be used; start the server or choose another store ({reason[:200]})"
        ) from error


def _is_server(uri: str) -> bool:
    return uri.startswith(("http:", "https:", "databricks"))


class Tracker:
    """One MLflow run. Every number is in the spool before MLflow hears of it."""

    def __init__(self, client: MlflowClient, run_id: str, run: RunDirectory) -> None:
        self.client, self.run_id, self.run = client, run_id, run
        self.waiting: list[Metric] = []
        self.skipped = 0

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Keep values for the next `flush`; what is not finite is left out and counted."""
        finite = {key: float(value) for key, value in values.items() if math.isfinite(value)}
        self.skipped += len(values) - len(finite)
        now = int(time.time() * 1000)
        with self.run.spool.open("a") as spool:
            spool.write(json.dumps({"step": step, "timestamp": now, "metrics": finite}) + "\n")
        self.waiting += [Metric(key, value, now, step) for key, value in finite.items()]

    def flush(self) -> None:
        """Send what waits, in as few calls as MLflow allows."""
        while self.waiting:
            self.client.log_batch(self.run_id, metrics=self.waiting[:BATCH])
            del self.waiting[:BATCH]

    def log_artifact(self, path: Path, folder: str | None = None) -> None:
        self.client.log_artifact(self.run_id, str(path), folder)

    def log_picture(self, path: Path, key: str, step: int) -> None:
        """Show a PNG in the run's image grid, where a slider goes over the steps; nothing if there is none."""
        if path.exists():
            with Image.open(path) as picture:
                self.client.log_image(self.run_id, picture, key=key, step=step)

    def write_note(self, markdown: str) -> None:
        """The description at the top of the run's page."""
        self.client.set_tag(self.run_id, "mlflow.note.content", markdown)


@contextmanager
def track_run(
    store: Store, config: Config, run: RunDirectory, tags: Mapping[str, str], replaces: str | None
) -> Iterator[Tracker]:
    """An MLflow run that ends as what it was: FINISHED, FAILED, or KILLED when it was interrupted.

    Args:
        store: client and experiment, from `open_store`.
        config: logged flattened, as parameters.
        run: gets the run's id.
        tags: logged beside the name.
        replaces: id of an earlier start of the same cell, which is ended and deleted.
    """
    client, experiment = store
    if replaces:
        _retire(client, replaces)
    created = client.create_run(experiment, tags=dict(tags), run_name=run_name(config))
    run_id = created.info.run_id
    run.mlflow_run_id.write_text(run_id)
    params = [Param(key, str(value)) for key, value in flatten(plain(config)).items()]
    for start in range(0, len(params), 100):
        client.log_batch(run_id, params=params[start : start + 100])
    tracker, status = Tracker(client, run_id, run), "KILLED"
    try:
        yield tracker
        status = "FINISHED"
    except Exception:
        status = "FAILED"
        raise
    finally:
        tracker.flush()
        client.set_terminated(run_id, status)


def _retire(client: MlflowClient, run_id: str) -> None:
    try:
        if client.get_run(run_id).info.status == "RUNNING":
            client.set_terminated(run_id, "KILLED")
        client.delete_run(run_id)
    except MlflowException as error:  # another store, or deleted already
        logger.info("the earlier MLflow run %s stays as it is: %s", run_id, error)


def git_commit() -> str:
    """The commit of this code; `unknown` outside a repository, `+changes` after it if the code was edited."""
    here = Path(__file__).parent

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(here), *words], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+changes" if git("status", "--porcelain", "--", str(here)) else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
