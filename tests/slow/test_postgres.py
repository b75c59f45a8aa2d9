"""A team's store: `mlflow server` over PostgreSQL, four cells at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from mlflow import MlflowClient

from src.rundir import RunDirectory
from tests.faults.load import press
from tests.support.processes import ENVIRONMENT, require, run_module
from tests.support.runs import spooled
from tests.support.servers import MlflowServer, Postgres

pytestmark = pytest.mark.slow

CELLS = 4
WORDS = [
    "experiment=smoke", "trainer.max_steps=6", "trainer.warmup_steps=1", "trainer.progress=false", "probe.size=24",
    "schedule.early=2", "schedule.late=2",
]  # fmt: skip


@pytest.fixture(scope="module")
def database() -> Iterator[Postgres]:
    require(bool(list(Path("/usr/lib/postgresql").glob("*/bin/postgres"))), "needs Debian's package postgresql")
    started = Postgres()
    try:
        started.start()
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="module")
def server(database: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    started = MlflowServer(tmp_path_factory.mktemp("server"), f"postgresql+psycopg2:{database.where}")
    try:
        started.start()
        yield started
    finally:
        started.kill()


def test_four_cells_at_once_lose_and_double_no_point(database: Postgres, server: MlflowServer, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "src.run", *WORDS, f"tracking.uri={server.uri}"]
    patient = ENVIRONMENT | {"MLFLOW_HTTP_REQUEST_TIMEOUT": "120"}  # four cells and a server start on few cores
    cells = [
        subprocess.Popen(
            [*words, f"seed={seed}"], cwd=tmp_path, env=patient, text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )
        for seed in range(CELLS)
    ]  # fmt: skip
    for cell in cells:
        _, message = cell.communicate(timeout=600)
        assert cell.returncode == 0, message
    runs = [RunDirectory(path.parent) for path in tmp_path.rglob("mlflow_run_id")]
    assert len(runs) == CELLS
    connection = psycopg2.connect(f"postgresql:{database.where}")
    with connection, connection.cursor() as cursor:
        for run in runs:
            run_id = run.mlflow_run_id.read_text()
            cursor.execute("SELECT key, value, timestamp, step FROM metrics WHERE run_uuid = %s", [run_id])
            assert sorted(cursor.fetchall()) == spooled(run)
            tracked = MlflowClient(server.uri).get_run(run_id)
            assert tracked.info.status == "FINISHED"
            assert tracked.data.tags["seed"] in run.path.name
    connection.close()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    compared = run_module("src.compare", f"tracking.uri={server.uri}", "sweep=single", cwd=elsewhere)
    assert compared.returncode == 0, compared.stderr
    assert "4 runs" in compared.stdout
    report = next(elsewhere.rglob("report.html")).read_text()
    assert "persistence diagrams" in report.lower(), "the diagrams come from the server, too"


def test_cells_that_log_as_fast_as_they_can_lose_and_double_no_point(
    database: Postgres, server: MlflowServer, tmp_path: Path
) -> None:
    wrong, points = press(tmp_path, database, server.uri, 3, 5)
    assert wrong == []
    assert points >= 3 * 2 * 400
