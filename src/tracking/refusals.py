"""What an answer of a store means: try again later, never, or that the run is gone there."""

from __future__ import annotations

from .store import first_line

# isort: split
# Behind the store, which sets the environment that mlflow is imported in.
from mlflow import MlflowClient
from mlflow.entities import LifecycleStage, Run
from mlflow.exceptions import MlflowException
from requests import HTTPError

from ..system.files import DamagedError

REFUSALS = (
    "INVALID_PARAMETER_VALUE",
    "BAD_REQUEST",
    "RESOURCE_DOES_NOT_EXIST",
    "RESOURCE_ALREADY_EXISTS",
    "INVALID_STATE",
)
"""Answers that stay the same however often one asks: a name is not allowed, a run is gone."""

TROUBLES = (MlflowException, OSError)
"""What a request to a store raises that was not taken; `requests` raises kinds of OSError."""


class OutageError(RuntimeError):
    """The store does not answer, or answers that something is wrong with itself. Worth another try later."""


class DeletedRunError(OutageError):
    """Somebody deleted the MLflow run, which then takes nothing until it is restored."""

    def __init__(self, run_id: str) -> None:
        super().__init__(
            f"the MLflow run {run_id} was deleted there: `mlflow runs restore --run-id {run_id}` brings it back (after "
            "its experiment, if that was deleted), the command of the run with force=true makes another one"
        )


def is_refusal(error: Exception) -> bool:
    """Whether a request would be refused again."""
    if isinstance(error, MlflowException):
        return error.error_code in REFUSALS
    if isinstance(error, HTTPError) and error.response is not None:
        return error.response.status_code in (400, 413, 422)  # 413: a proxy that lets no large file through
    return isinstance(error, DamagedError)  # a file of the run directory is not what was written, or gone


def ask_for_run(client: MlflowClient, run_id: str) -> Run | None:
    """The run with this id; None if the store, whose database was lost, knows none.

    Raises:
        DeletedRunError: if somebody deleted it.
        OutageError: if the store does not answer.
    """
    try:
        found: Run = client.get_run(run_id)
    except TROUBLES as error:
        if getattr(error, "error_code", None) != "RESOURCE_DOES_NOT_EXIST":
            raise OutageError(first_line(error)) from error
        return None
    if found.info.lifecycle_stage == LifecycleStage.DELETED:
        raise DeletedRunError(run_id)
    return found
