"""`python -m src.ui` starts a real server, prints an address that answers, and stops when told."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from .conftest import ROOT, Command

pytestmark = pytest.mark.slow


def test_the_server_answers_at_the_printed_address_and_stops(tmp_path: Path) -> None:
    words, environment = [sys.executable, "-m", "src.ui", "ui.open=false"], os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(words, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+(?=/#/experiments/\d+/runs\?compareRunsMode=CHART)", line)
            assert found, line
            with urllib.request.urlopen(found[0], timeout=30) as page:
                assert b"MLflow" in page.read()
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
