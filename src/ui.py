"""`python -m src.ui`: the MLflow server on loopback over the configured store."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import webbrowser
from types import FrameType

from omegaconf import DictConfig

from .cli import launch
from .config import RequestError
from .config.commands import UiConfig
from .config.resolve import resolve_ui_config
from .rundir import ROOT
from .system.console import has_screen, show_views
from .system.secrets import redact
from .tracking.views import view_addresses

HOST = "127.0.0.1"
START_SECONDS = 120
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
    server = _start_server(store.uri, port)
    try:
        base = f"http://{HOST}:{port}"
        _wait_until_up(base, server)
        addresses = view_addresses(base, store.experiment)
        show_views(addresses)
        print("Ctrl-C stops the server.", flush=True)
        if config.ui.open and not _open(next(iter(addresses.values()))):
            print(f"No browser here. From another machine: ssh -L {port}:{HOST}:{port} <this one>", flush=True)
        server.wait()
    except KeyboardInterrupt:
        print("stopped")
    finally:
        server.terminate()
        server.wait(timeout=30)


def _start_server(uri: str, port: int) -> subprocess.Popen[str]:
    """The MLflow server over a store, its output in `LOG`."""
    from .tracking.store import POOL_CLASS

    command = [sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port)]
    # One worker answers one person; the default of four costs a gigabyte. The address may hold a password, which every
    # user of the machine could read on a command line.
    environment = {key: value for key, value in os.environ.items() if key != POOL_CLASS}
    server = subprocess.Popen(
        [*command, "--workers", "1"], env=environment | {"MLFLOW_BACKEND_STORE_URI": uri}, text=True,
        errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    threading.Thread(target=_keep_log, args=(server,), name="log", daemon=True).start()
    return server


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


def _wait_until_up(base: str, server: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"the MLflow server ended with status {server.returncode}; {LOG} says why")
        try:
            with urllib.request.urlopen(f"{base}/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise RuntimeError(f"the MLflow server did not answer within {START_SECONDS} s; see {LOG}")


if __name__ == "__main__":
    launch(ui, "ui", UiConfig)
