"""Signals at awkward moments: one line, and no process stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.processes import ENVIRONMENT, command_of, wait_until, workers_of
from tests.support.runs import start


@pytest.mark.slow
@pytest.mark.parametrize(("module", "words"), [("src.run", ["tda=none"]), ("src.compare", ["sweep=x"])])
def test_a_signal_while_a_command_starts_ends_it_in_one_line(tmp_path: Path, module: str, words: list[str]) -> None:
    for number, delay in enumerate((0.2, 0.6, 1.5, 3.0)):
        process = subprocess.Popen(
            [sys.executable, "-m", module, *words], cwd=tmp_path, env=ENVIRONMENT, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        wait_until(lambda pid=process.pid: b"src." in command_of(str(pid)))  # type: ignore[misc]
        time.sleep(delay)
        signum = (signal.SIGINT, signal.SIGTERM)[number % 2]
        if process.poll() is None:
            process.send_signal(signum)
        out, error = process.communicate(timeout=60)
        if "there is no such database" in error:
            continue  # it was faster; while Python ends, a signal is the system's
        assert process.returncode == 128 + signum, (delay, out, error)
        assert error == f"{signal.Signals(signum).name}: ended\n"


@pytest.mark.slow
def test_a_worker_that_was_stopped_while_it_started_does_not_outlive_its_run(tmp_path: Path) -> None:
    process = start(tmp_path)
    wait_until(lambda: bool(workers_of(process.pid)))
    workers = workers_of(process.pid)
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate(timeout=90)
    assert process.returncode == 128 + signal.SIGTERM, error
    wait_until(lambda: not any(b"spawn_main" in command_of(str(worker)) for worker in workers), 30)
    assert sum(line.startswith("SIGTERM: ") for line in error.splitlines()) == 1, error
    assert "Traceback" not in error
