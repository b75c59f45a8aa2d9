"""What a healthy store is brought, and what one refuses."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from src.tracking.store import open_store
from src.tracking.tracker import track_run
from tests.support.processes import wait_until
from tests.support.runs import spooled, stored
from tests.support.tracked import STEPS, configure, directory, log_checkpoint, uploaded


def test_a_checkpoint_is_logged_fast_and_the_spool_says_what_a_healthy_store_holds(stored_here: Path) -> None:
    config, run = configure(None), directory("a")
    with track_run(open_store(config.tracking), config, run, {}, None) as tracker:
        wait_until(lambda: bool(uploaded(tracker).run_id))
        took = log_checkpoint(tracker, 0)
        start = time.perf_counter()
        wait_until(lambda: uploaded(tracker).metrics > 0)
        print(f"400 metrics: {took:.4f} s for the caller, {time.perf_counter() - start:.3f} s more until stored")
        assert took < 0.2
    assert stored(stored_here / "multirun/mlflow.db", run.mlflow_run_id.read_text()) == spooled(run)
    assert json.loads(run.offsets.read_text())["done"]


def test_a_refusal_is_left_out_and_said_once(stored_here: Path, caplog: pytest.LogCaptureFixture) -> None:
    config, run = configure(None), directory("a")
    store = open_store(config.tracking)
    with track_run(store, config, run, {}, None) as tracker:
        wait_until(lambda: bool(uploaded(tracker).run_id))
        store.client.delete_run(uploaded(tracker).run_id)  # somebody tidies up
        for step in STEPS:
            log_checkpoint(tracker, step)
    assert uploaded(tracker).done
    assert len(caplog.records) == 1
    assert "refuses metrics" in caplog.text
