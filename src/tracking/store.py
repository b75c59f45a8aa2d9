"""Where MLflow keeps its runs: its address, and an experiment that is there."""

from __future__ import annotations

import logging
import os
import re
import sqlite3
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# A research tool on a cluster sends nobody its usage. The caller decides about another try: MLflow's own tries
# would make two runs of one request whose answer was lost, and four minutes of a server that is gone.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # one a file, in the midst of what is printed
# A connection that is kept would go on writing to a database that was deleted, and say that all is well.
os.environ.setdefault(POOL_CLASS := "MLFLOW_SQLALCHEMYSTORE_POOLCLASS", "NullPool")

from mlflow import MlflowClient
from mlflow.entities import Experiment, LifecycleStage
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from ..config import RequestError, TrackingConfig
from ..rundir import ROOT
from ..system.secrets import redact, without_login
from .address import absolute, database_of
from .database import artifact_place, folder_of, is_lost, lock_of, make_database, mend_artifact_places
from .views import view_addresses, view_tags

RECENT = 20
"""Runs that are looked at for the keys a store has."""

UNUSABLE = (MlflowException, OSError, SQLAlchemyError, sqlite3.Error)
"""What a store that cannot be used raises: the third, a file that is no database; the last, one that takes nothing."""

PAGE = 1000
"""Runs that are asked for in one request."""

LOGIN = (
    "a login is kept nowhere: set MLFLOW_TRACKING_URI to the address with it, or MLFLOW_TRACKING_USERNAME and "
    "MLFLOW_TRACKING_PASSWORD, or give tracking.uri=<address with it>"
)
"""What to do where a store asks for a login."""

logger = logging.getLogger(__name__)


@dataclass
class Store:
    """Where MLflow keeps the runs of one experiment."""

    client: MlflowClient
    name: str
    """The experiment's name."""
    experiment: str
    """The experiment's id."""

    @property
    def uri(self) -> str:
        return str(self.client.tracking_uri)

    @property
    def address(self) -> str:
        """`uri` as it may be shown."""
        return without_login(self.uri)

    @property
    def has_login(self) -> bool:
        return self.address != self.uri

    def restore(self) -> None:
        """Make a database that is gone again, with the experiment in it."""
        path = database_of(self.uri)
        if path is not None and is_lost(path):
            logger.warning("%s is gone; it is made again", path)
            self.renew()

    def renew(self) -> None:
        """Find the experiment, or make it.

        Raises:
            RequestError: if somebody deleted it, or its files have no place.
            MlflowException, OSError: if the store does not answer.
        """
        ROOT.mkdir(exist_ok=True)
        with lock_of(self.uri):
            make_database(self.uri)
            found = self.client.get_experiment_by_name(self.name)
            if found is not None:
                self.experiment = str(found.experiment_id)
                self._check(found)
                return
            # Next to a database artifacts would land in the current directory; a server has its own place.
            artifacts = artifact_place(self.uri) if "://" in self.uri and not _is_server(self.uri) else None
            self.experiment = self.client.create_experiment(self.name, artifacts)

    def check_again(self) -> None:
        """As `renew`, of a store that was opened before; one that does not answer by now stops nothing."""
        with suppress(*UNUSABLE):
            self.renew()

    def _check(self, found: Experiment) -> None:
        if found.lifecycle_stage == LifecycleStage.DELETED:
            raise RequestError(
                f"tracking.experiment={self.name}: was deleted in {self.address}; restore it (MLFLOW_TRACKING_URI="
                f"{self.address} mlflow experiments restore --experiment-id {found.experiment_id}), or choose another "
                "name"
            )
        path = database_of(self.uri)
        if path is None:
            return
        place = folder_of(mend_artifact_places(path, found.artifact_location))
        if place is not None and not place.parent.exists():
            raise RequestError(
                f"tracking.uri={self.address}: keeps the files of the experiment {self.name} in {place}, which is "
                f"gone; move it back, make it again (mkdir -p {place}), or choose another tracking.experiment"
            )


_opened: dict[tuple[str, str, Path], Store] = {}


def store_uri(tracking: TrackingConfig) -> str:
    """Where the numbers go: the configuration, else MLFLOW_TRACKING_URI, else a database under multirun/."""
    return absolute(tracking.uri or os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{ROOT}/mlflow.db")


def open_store(tracking: TrackingConfig) -> Store:
    """A client and the id of the experiment, both made if they are new.

    A store must answer once per process: one that goes away in the middle of a sweep stops no later run.

    Raises:
        RequestError: if the store cannot be reached, or the experiment was deleted there.
    """
    uri = store_uri(tracking)
    key = (uri, tracking.experiment, Path.cwd())
    if key in _opened:
        _opened[key].check_again()
    else:
        for chatty in ("alembic", "mlflow"):
            logging.getLogger(chatty).setLevel(logging.WARNING)
        logging.getLogger("urllib3").setLevel(logging.ERROR)  # each retry would be a line
        # What goes wrong with a database is raised as well; here it would be a traceback.
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
        try:
            with lock_of(uri):
                make_database(uri)  # a client connects at once, which makes one without the lock
            store = Store(MlflowClient(uri), tracking.experiment, "")
            store.renew()
            _opened[key] = store
        except UNUSABLE as error:
            raise _refusal(uri, error) from error
    return _opened[key]


def describe_store(tracking: TrackingConfig) -> str:
    """Where the runs go, after asking the store; nothing is made.

    Raises:
        RequestError: if it does not answer.
    """
    uri = store_uri(tracking)
    database, shown = database_of(uri), without_login(uri)
    if database is not None and not database.exists():
        return f"{shown}, which the first run makes"
    try:
        found = MlflowClient(uri).search_experiments(max_results=PAGE)
    except UNUSABLE as error:
        raise _refusal(uri, error) from error
    names = [experiment.name for experiment in found]
    return f"{shown} answers{'' if tracking.experiment in names else f'; no run of {tracking.experiment} yet'}"


def _refusal(uri: str, error: Exception) -> RequestError:
    """What is wrong with a store that did not do what it was asked for."""
    message, shown = first_line(error), without_login(uri)
    other = re.search(r"found version (\w+), but expected (\w+)", str(error))
    if isinstance(error, sqlite3.Error):
        return RequestError(
            f"tracking.uri={shown}: was moved or copied, and cannot be told where the files of its runs are now "
            f"({message}); make it writable, or copy it with mlartifacts beside it to a folder of your own"
        )
    return RequestError(
        f"tracking.uri={shown}: made by another version of MLflow (schema {other[1]}, this one's is "
        f"{other[2]}); copy the database and run `mlflow db upgrade {shown}`, or choose another store"
        if other
        else f"tracking.uri={shown}: takes no request without a login, and {LOGIN}"
        if re.search(r"\b401\b|unauthorized|not authenticated", str(error), re.IGNORECASE)
        else f"tracking.uri={shown}: cannot be used; start the server or choose another store ({message})"
    )


def find_store(tracking: TrackingConfig) -> Store:
    """`open_store` for reading only: no database is made.

    Raises:
        RequestError: if there is none, or it cannot be reached.
    """
    uri = store_uri(tracking)
    database = database_of(uri)
    if database is not None and not database.exists():
        raise RequestError(
            f"tracking.uri={without_login(uri)}: there is no such database, so no run; start where the runs are, or "
            "say where that is"
        )
    return open_store(tracking)


def _is_server(uri: str) -> bool:
    return uri.startswith(("http:", "https:", "databricks"))


def write_views(store: Store) -> dict[str, str]:
    """Put the prepared views into the experiment's tags, in place; name -> address of each if the store is a server."""
    client, experiment = store.client, store.experiment
    try:
        with lock_of(store.uri):  # two processes that add one tag at once: the second fails
            present = client.get_experiment(experiment).tags
            keys = {key for run in client.search_runs([experiment], max_results=RECENT) for key in run.data.metrics}
            for tag, value in view_tags(keys, present, int(time.time() * 1000)).items():
                client.set_experiment_tag(experiment, tag, value)
    except (MlflowException, OSError) as error:  # a run is worth more than its views
        logger.warning("the prepared views could not be written: %s", first_line(error))
    return view_addresses(store.address, experiment) if store.uri.startswith("http") else {}


def first_line(error: BaseException) -> str:
    """What an error says, short enough for one line of a terminal or a log."""
    return redact((str(error).splitlines() or [type(error).__name__])[0])[:200]
