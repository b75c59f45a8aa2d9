"""A run of which only the tracking is real: what it tells, and whether a store has all of it."""

from __future__ import annotations

import time
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Run
from PIL import Image

from src.config import Config, ModelConfig, ObjectiveConfig, ScheduleConfig, TdaConfig, TrackingConfig
from src.rundir import RunDirectory
from src.tracking.offsets import UploadOffsets
from src.tracking.tracker import Tracker

from .runs import spooled, stored
from .servers import MlflowServer

STEPS = range(6)
METRICS = 400
"""What a checkpoint of a large model logs."""


def configure(uri: str | None = None, *, patience: float = 60) -> Config:
    return Config(
        model=ModelConfig(name="tiny", path="x", stage="pretrained"), objective=ObjectiveConfig(name="mixed"),
        tda=TdaConfig(name="none"), schedule=ScheduleConfig(kind="linear"),
        tracking=TrackingConfig(uri=uri, patience=patience),
    )  # fmt: skip


def directory(name: str) -> RunDirectory:
    run = RunDirectory(Path("multirun") / name)
    run.path.mkdir(parents=True)
    return run


def log_checkpoint(tracker: Tracker, step: int) -> float:
    """All that a checkpoint tells; returns the seconds that it took."""
    picture = tracker.run.path / f"{step}.png"
    Image.new("RGB", (400, 300), (step, 0, 0)).save(picture)
    start = time.perf_counter()
    tracker.log({f"velocity/H1/layer_{n:04d}": n + step / 7 for n in range(METRICS)}, step)
    tracker.log_picture(picture, "diagrams", step)
    tracker.tag({"last": str(step)})
    tracker.flush()
    return time.perf_counter() - start


def conclude(tracker: Tracker) -> None:
    tracker.log_artifact(tracker.run.path / "0.png", "figures")
    tracker.write_note("# Said at the end")


def uploaded(tracker: Tracker) -> UploadOffsets:
    """How much of it the store has; the one place in the tests that looks behind what a tracker shows."""
    return tracker.offsets


def check_complete(run: RunDirectory, server: MlflowServer, status: str, steps: int = len(STEPS)) -> Run:
    """Nothing is missing and nothing is there twice; `steps` were told."""
    client = MlflowClient(server.uri)
    run_id = run.mlflow_run_id.read_text()
    found = client.get_run(run_id)
    assert stored(server.database, run_id) == spooled(run)
    assert len(spooled(run)) == steps * METRICS
    pictures = [item.path for item in client.list_artifacts(run_id, "images")]
    assert len(pictures) == 2 * steps, pictures
    assert found.data.tags["last"] == str(steps - 1)
    assert found.data.tags["kind"] == "cell"
    assert found.data.tags["mlflow.loggedImages"] == "True"
    assert found.data.params["objective.name"] == "mixed"
    if status == "FINISHED":
        assert [item.path for item in client.list_artifacts(run_id, "figures")] == ["figures/0.png"]
        assert found.data.tags["mlflow.note.content"] == "# Said at the end"
    assert found.info.status == status
    same_start = f"attributes.start_time = {found.info.start_time}"
    assert len(client.search_runs([found.info.experiment_id], same_start)) == 1, "one start, one run"
    return found
