"""Signals at awkward moments: one line, and no process stays."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.processes import ENVIRONMENT, command_of, wait_until, workers_of
from tests.support.runs import start


def catches(pid: int, signum: int) -> bool:
    """Whether a process does something of its own when it gets a signal: Python itself does so for SIGINT alone."""
    status = Path(f"/proc/{pid}/status").read_text()
    return bool(int(re.search(r"SigCgt:\s*(\w+)", status)[1], 16) >> (signum - 1) & 1)  # type: ignore[index]


@pytest.mark.slow
@pytest.mark.parametrize(("module", "words"), [("src.run", ["tda=none"]), ("src.compare", ["sweep=x"])])
def test_a_signal_while_a_command_starts_ends_it_in_one_line(tmp_path: Path, module: str, words: list[str]) -> None:
    for number, delay in enumerate((0.2, 0.6, 1.5, 3.0)):
        process = subprocess.Popen(
            [sys.executable, "-m", module, *words], cwd=tmp_path, env=ENVIRONMENT, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        wait_until(lambda process=process: process.poll() is not None or catches(process.pid, signal.SIGTERM))  # type: ignore[misc]
        time.sleep(delay)
        signum = (signal.SIGINT, signal.SIGTERM)[number % 2]
        if process.poll() is None:
            process.send_signal(signum)
        out, error = process.communicate(timeout=60)
        if "there is no such database" in error:
            continue  # it was faster; while Python ends, a signal is the system's
        assert process.returncode == 128 + signum, (delay, out, error)
        assert sum(line.startswith(f"{signal.Signals(signum).name}: ") for line in error.splitlines()) == 1, error
        assert "Traceback" not in error


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
