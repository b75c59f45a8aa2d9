"""A store that is down, dies, hangs, fails or loses its answers: training goes on, and at last nothing is missing."""

from __future__ import annotations

import time

import pytest

from src.tracking.offsets import read_offsets
from src.tracking.store import open_store
from src.tracking.sync import SyncOutcome, sync_run
from src.tracking.tracker import track_run
from tests.support.processes import wait_until
from tests.support.servers import Gate, MlflowServer
from tests.support.tracked import STEPS, check_complete, conclude, configure, directory, log_checkpoint, uploaded

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("place")]


@pytest.mark.parametrize("trouble", ["refuse", "hang", "fail", "lose", "die"])
def test_trouble_in_the_middle_stops_nothing_and_loses_nothing(
    server: MlflowServer, gate: Gate, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    config, run, took = configure(gate.uri), directory("a"), []
    with track_run(open_store(config.tracking), config, run, {"kind": "cell"}, None) as tracker:
        for step in STEPS:
            if step == 2:
                wait_until(lambda: (read_offsets(run) or uploaded(tracker)).metrics > 0)
                server.kill() if trouble == "die" else gate.turn(trouble)
            took.append(log_checkpoint(tracker, step))
            if step == 4:
                wait_until(lambda: len(caplog.records) > 0)
                server.start() if trouble == "die" else gate.turn("pass")
        conclude(tracker)
    print(f"{trouble}: a flush took its caller {max(took):.3f} s at most")
    assert max(took) < 5
    check_complete(run, server, "FINISHED")
    message = [record.getMessage() for record in caplog.records]
    assert len(message) == 2, message
    assert message[0].startswith("MLflow takes nothing (")
    assert message[1].startswith("MLflow is back")
    assert not any("\n" in line for line in message)


def test_a_server_that_closes_idle_connections_is_no_outage(
    server: MlflowServer, caplog: pytest.LogCaptureFixture
) -> None:
    config, run = configure(f"http://127.0.0.1:{server.port}"), directory("a")
    with track_run(open_store(config.tracking), config, run, {"kind": "cell"}, None) as tracker:
        for step in STEPS:
            log_checkpoint(tracker, step)
            time.sleep(6 if step == 2 else 0)  # uvicorn keeps a connection for 5 s
        conclude(tracker)
    check_complete(run, server, "FINISHED")
    assert not caplog.records


@pytest.mark.parametrize("trouble", ["refuse", "lose"])
def test_a_run_that_begins_while_the_store_is_gone_is_made_later(
    server: MlflowServer, gate: Gate, trouble: str
) -> None:
    """As the second cell of a sweep; its process lives on, and delivers what it left when the server is back."""
    config, run = configure(gate.uri, patience=0.5), directory("a")
    store = open_store(config.tracking)
    gate.turn(trouble)
    start = time.monotonic()
    with track_run(open_store(config.tracking), config, run, {"kind": "cell"}, None) as tracker:
        for step in STEPS:
            log_checkpoint(tracker, step)
        conclude(tracker)
    assert time.monotonic() - start < 10, "bounded"
    assert not run.mlflow_run_id.exists()
    assert sync_run(run, None) is SyncOutcome.IN_USE
    gate.turn("pass")
    wait_until(lambda: uploaded(tracker).done)
    check_complete(run, server, "FINISHED")
    assert store is open_store(config.tracking)
