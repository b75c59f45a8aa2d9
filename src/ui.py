"""`python -m src.ui`: the MLflow server on loopback over the configured store."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import webbrowser
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from omegaconf import DictConfig

from .cli import launch
from .config import RequestError
from .config.commands import UiConfig, UiSettings
from .config.resolve import resolve_ui_config
from .rundir import ROOT
from .system.console import has_screen, show_views
from .system.secrets import redact
from .tracking.views import view_addresses

if TYPE_CHECKING:
    from .tracking.store import Store

HOST = "127.0.0.1"
START_SECONDS, STOP_SECONDS = 300, 30
LOG = ROOT / "mlflow_server.log"


def ui(composed: DictConfig) -> None:
    """Start the server, print the addresses, serve until interrupted."""
    config = resolve_ui_config(composed)
    from .tracking.store import open_store, write_views

    store = open_store(config.tracking)
    addresses = write_views(store)
    if addresses:
        print("This store is a server already.")
        show_views(addresses)
        return
    port = _free_port(config.ui.port)
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, _interrupt)  # so that the server goes too
    server = _start_server(store.uri, port, config.ui)
    try:
        base = f"http://{HOST}:{port}{config.ui.prefix}"
        _wait_until_up(base, server, store)
        addresses = view_addresses(config.ui.address or base, store.experiment)
        show_views(addresses)
        print("Ctrl-C stops the server.", flush=True)
        if config.ui.open and not _open(next(iter(addresses.values()))):
            print(f"No browser here. From another machine: ssh -L {port}:{HOST}:{port} <this one>", flush=True)
        server.wait()
    except KeyboardInterrupt:
        print("stopped")
    finally:
        _stop_server(server)


def _start_server(uri: str, port: int, settings: UiSettings) -> subprocess.Popen[str]:
    """The MLflow server over a store, its output in `LOG`."""
    from .tracking.store import POOL_CLASS

    # One worker answers one person; the default of four costs a gigabyte.
    command = [sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1"]
    if settings.prefix:
        command += ["--static-prefix", settings.prefix]
    if settings.address:
        command += _admit(settings.address, port)
    # The address may hold a password, which every user of the machine could read on a command line.
    environment = {key: value for key, value in os.environ.items() if key != POOL_CLASS}
    server = subprocess.Popen(
        command, env=environment | {"MLFLOW_BACKEND_STORE_URI": uri}, text=True, errors="replace",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    threading.Thread(target=_keep_log, args=(server,), name="log", daemon=True).start()
    return server


def _stop_server(server: subprocess.Popen[str]) -> None:
    """End it with its worker, which a signal to it alone may leave behind."""
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def _admit(address: str, port: int) -> list[str]:
    """What lets MLflow, which refuses the names of other hosts, answer requests that came through a proxy."""
    proxy, here = urlsplit(address), (HOST, "localhost")
    hosts = [proxy.netloc, *here, *(f"{name}:{port}" for name in here)]
    origins = [f"{proxy.scheme}://{proxy.netloc}", *(f"http://{name}:{port}" for name in here)]
    return ["--allowed-hosts", ",".join(hosts), "--cors-allowed-origins", ",".join(origins)]


def _keep_log(server: subprocess.Popen[str]) -> None:
    """What the server says, line by line, without secrets."""
    assert server.stdout is not None
    with LOG.open("w") as log:
        for line in server.stdout:
            log.write(redact(line))
            log.flush()


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _open(address: str) -> bool:
    """Show the page in a browser; False if there is none, or no screen for it: one for the terminal would block it."""
    return has_screen() and webbrowser.open(address)


def _free_port(wanted: int | None) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted or 0))
        except OSError as error:
            raise RequestError(f"ui.port={wanted}: {error.strerror}; choose another, or leave it out") from error
        return int(probe.getsockname()[1])


def _wait_until_up(base: str, server: subprocess.Popen[str], store: Store) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"the MLflow server ended with status {server.returncode}; {LOG} says why")
        if _shows(base, store):
            return
        time.sleep(0.3)
    raise RuntimeError(f"the MLflow server did not answer within {START_SECONDS} s; see {LOG}")


def _shows(base: str, store: Store) -> bool:
    """Whether the server at `base` answers and is over this store: another user's may have taken the port meanwhile."""
    ours = store.client.get_experiment(store.experiment)
    try:
        asked = f"{base}/api/2.0/mlflow/experiments/get?experiment_id={store.experiment}"
        with urllib.request.urlopen(asked, timeout=5) as answer:
            there = json.load(answer)["experiment"]
        return bool(
            (there["artifact_location"], there["creation_time"]) == (ours.artifact_location, ours.creation_time)
        )
    except (OSError, ValueError, KeyError):
        return False


if __name__ == "__main__":
    launch(ui, "ui", UiConfig)
