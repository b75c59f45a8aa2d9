"""`python -m src.ui` starts a real server, prints addresses that answer, and stops when told."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urljoin

import pytest

from src.config import TrackingConfig
from src.tracking.store import open_store
from src.ui import _shows
from tests.support.processes import ENVIRONMENT, ROOT, Command, run_module
from tests.support.servers import free_port

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


def start_ui(folder: Path, *words: str) -> subprocess.Popen[str]:
    folder.mkdir()
    return subprocess.Popen(
        [sys.executable, "-m", "src.ui", "ui.open=false", *words], cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def ask(address: str, host: str | None = None, **post: object) -> bytes:
    """As a proxy hands it on: with the host that the browser asked, and the page's origin where it posts."""
    headers = {"Host": host, "Origin": f"https://{host}", "Content-Type": "application/json"} if host else {}
    body = json.dumps(post).encode() if post else None
    with urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=30) as answer:
        return bytes(answer.read())


def test_behind_the_path_of_a_proxy_and_beside_the_store_of_another_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, path, port = "hub.example.org", "/user/me/mlflow", free_port()
    words = [f"ui.address=https://{hub}{path}", f"ui.prefix={path}", f"ui.port={port}"]
    with (
        start_ui(tmp_path / "me", *words) as mine,
        start_ui(tmp_path / "other") as other,
    ):
        try:
            assert mine.stdout is not None
            assert other.stdout is not None
            lines = mine.stdout.readline(), other.stdout.readline()
            assert f"https://{hub}{path}/#/experiments/1/runs?" in lines[0], mine.communicate()
            theirs = re.search(r"http://127\.0\.0\.1:\d+", lines[1])
            assert theirs, lines[1]
            base = f"http://127.0.0.1:{port}{path}"
            page = ask(f"{base}/", hub).decode()
            links = re.findall(r'(?:src|href)="([^"]+)"', page)
            assert any(link.endswith(".js") for link in links)
            for link in links:
                assert ask(urljoin(f"{base}/", link), hub), "links are relative to the page, whatever path it has"
            found = json.loads(ask(f"{base}/ajax-api/2.0/mlflow/experiments/search", hub, max_results=5))
            place = found["experiments"][0]["artifact_location"]
            assert place == (tmp_path / "me/multirun/mlartifacts").as_uri()
            with pytest.raises(urllib.error.HTTPError, match="403"):
                ask(f"{base}/", "elsewhere.example.org")
            seen = json.loads(ask(f"{theirs[0]}/api/2.0/mlflow/experiments/get?experiment_id=1"))["experiment"]
            assert seen["artifact_location"] == (tmp_path / "other/multirun/mlartifacts").as_uri()
            monkeypatch.chdir(tmp_path / "me")
            own = open_store(TrackingConfig())
            assert _shows(base, own)
            assert not _shows(theirs[0], own), "a port that another user's server took is not taken for ours"
        finally:
            for server in (mine, other):
                server.send_signal(signal.SIGTERM)


@pytest.mark.parametrize(
    "word", ["ui.address=hub.example.org", "ui.address=https://me:secret@hub", "ui.prefix=mlflow", "ui.prefix=/a/../b"]
)
def test_where_a_proxy_shows_it_is_an_address_and_a_path(command: Command, word: str) -> None:
    done = command("src.ui", word)
    assert done.returncode == 2
    assert done.stderr.startswith(word.partition("=")[0])
    assert len(done.stderr.splitlines()) == 1


def test_a_port_in_use_is_named(command: Command) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = command("src.ui", f"ui.port={port}", "ui.open=false")
    assert done.returncode == 2
    assert f"ui.port={port}" in done.stderr
