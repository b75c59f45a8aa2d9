"""`python -m src.ui` starts a real server, prints addresses that answer, and stops when told."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.support.processes import ROOT, Command, run_module

pytestmark = pytest.mark.slow


def test_the_server_answers_at_the_printed_address_and_stops(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if "DISPLAY" not in key} | {"PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-m", "src.ui"]
    with subprocess.Popen(words, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            printed = [line, *(server.stdout.readline() for _ in range(6))]
            assert printed[-1].startswith("No browser here. From another machine: ssh -L ")
            found = re.search(r"http://127\.0\.0\.1:\d+(?=/#/experiments/\d+/runs\?compareRunsMode=CHART)", line)
            assert found, line
            with urllib.request.urlopen(found[0], timeout=30) as page:
                assert b"MLflow" in page.read()
            words = ["tda=none", "experiment=smoke", "trainer.max_steps=2", f"tracking.uri={found[0]}"]
            for expected in ("held-out loss", "done already"):  # a run that is skipped says where it is, too
                done = run_module("src.run", *words, cwd=tmp_path)
                assert done.returncode == 0, done.stderr
                assert expected in done.stdout
                assert line in done.stdout, "the address of the first view, as the server itself printed it"
            again = run_module("src.ui", words[-1], cwd=tmp_path)
            assert line in again.stdout, "a store that is a server needs no other"
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=60)
    with pytest.raises(OSError):  # noqa: PT011  refused, reset or timed out: nobody is there
        urllib.request.urlopen(found[0], timeout=3)


def test_a_port_in_use_is_named(command: Command) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = command("src.ui", f"ui.port={port}", "ui.open=false")
    assert done.returncode == 2
    assert f"ui.port={port}" in done.stderr
