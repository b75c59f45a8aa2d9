"""`python -m tests.faults load`: sixteen cells at once into one MLflow server over PostgreSQL, for ten minutes.

Each cell is a process that logs checkpoints of 400 numbers as fast as it can; nothing is trained. Each point must be
there once. `trials` is the number of cells.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg2

from src.rundir import RunDirectory

from ..support.processes import ENVIRONMENT
from ..support.runs import spooled
from ..support.servers import MlflowServer, Postgres

CELLS, SECONDS = 16, 600.0

SCRIPT = """
import sys, time
from src.tracking.store import open_store
from src.tracking.tracker import track_run
from tests.support.tracked import configure, directory, log_checkpoint
uri, name, seconds = sys.argv[1:]
config, ends, step = configure(uri, patience=600), time.monotonic() + float(seconds), 0
with track_run(open_store(config.tracking), config, directory(name), {"kind": "cell", "seed": name}, None) as tracker:
    while time.monotonic() < ends or step < 2:
        log_checkpoint(tracker, step)
        step += 1
        time.sleep(1)
"""

Row = tuple[str, int, int, str]
"""What was tried, cells, how many were right, and what was wrong."""


def press(folder: Path, database: Postgres, uri: str, cells: int, seconds: float) -> tuple[list[str], int]:
    """What is wrong after so many cells at once, and how many points all of them logged."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, uri, str(number), str(seconds)], cwd=folder, text=True,
            env=ENVIRONMENT | {"MLFLOW_HTTP_REQUEST_TIMEOUT": "120"}, stderr=subprocess.PIPE,
        )
        for number in range(cells)
    ]  # fmt: skip
    errors = [process.communicate()[1] for process in processes]
    wrong = [errors[n][-300:] for n, process in enumerate(processes) if process.returncode]
    points = 0
    connection = psycopg2.connect(f"postgresql:{database.where}")
    with connection, connection.cursor() as cursor:
        for number in range(cells):
            run = RunDirectory(folder / "multirun" / str(number))
            logged = spooled(run)
            points += len(logged)
            run_id = run.mlflow_run_id.read_text() if run.mlflow_run_id.exists() else ""
            cursor.execute("SELECT key, value, timestamp, step FROM metrics WHERE run_uuid = %s", [run_id])
            found = sorted(cursor.fetchall())
            if not logged or found != logged:
                wrong.append(f"cell {number}: {len(found)} points in MLflow, {len(logged)} logged")
    connection.close()
    return wrong, points


def main(trials: int, seed: int) -> list[Row]:
    """Fewer than sixteen cells take fewer minutes, too."""
    cells = min(trials, CELLS)
    with tempfile.TemporaryDirectory() as name:
        folder, database = Path(name), Postgres()
        database.start()
        server = MlflowServer(folder, f"postgresql+psycopg2:{database.where}")
        try:
            server.start()
            wrong, points = press(folder, database, server.uri, cells, SECONDS * cells / CELLS)
        finally:
            server.kill()
            database.stop()
    what = f"{cells} cells at once into one server over PostgreSQL, {points} points"
    return [(what, cells, max(0, cells - len(wrong)), "; ".join(wrong))]
