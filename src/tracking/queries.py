"""What a store is asked for: runs, and copies of their files."""

from __future__ import annotations

from pathlib import Path

from .store import PAGE, Store, first_line

# isort: split
# Behind the store, which sets the environment that mlflow is imported in.
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from ..config import RequestError


def search_runs(store: Store, wanted: str) -> list[Run]:
    """The runs that an MLflow search filter finds, oldest first.

    Raises:
        RequestError: if MLflow cannot read the filter, or does not answer.
    """
    found: list[Run] = []
    token: str | None = None
    try:
        while token is None or token:
            page = store.client.search_runs(
                [store.experiment], wanted, max_results=PAGE, order_by=["attributes.start_time ASC"], page_token=token
            )
            found, token = found + list(page), page.token or ""
    except (MlflowException, OSError) as error:
        raise RequestError(f"filter={wanted}: MLflow finds nothing by it ({first_line(error)})") from error
    return found


def read_run(store: Store, run_id: str) -> Run | None:
    """The run with this id; None if the store has none."""
    try:
        found: Run = store.client.get_run(run_id)
    except MlflowException:
        return None
    return found


def fetch_artifact(store: Store, run_id: str, name: str, folder: str) -> Path | None:
    """A copy of a run's artifact in `folder`; None if it cannot be had."""
    try:
        return Path(store.client.download_artifacts(run_id, name, folder))
    except (MlflowException, OSError):
        return None
