"""`python -m src.ui`: the MLflow server on loopback over the configured store."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import webbrowser
from types import FrameType

from omegaconf import DictConfig

from .command import launch
from .config import RequestError, UiConfig
from .resolve import resolve_ui_config
from .rundir import ROOT

HOST = "127.0.0.1"
START_SECONDS = 120
LOG = ROOT / "mlflow_server.log"


def ui(composed: DictConfig) -> None:
    """Start the server, print the address, serve until interrupted."""
    config = resolve_ui_config(composed)
    from .tracking import open_store, store_uri

    store = store_uri(config.tracking)
    _, experiment = open_store(config.tracking)
    if store.startswith("http"):
        print(f"This store is a server already: {_address(store, experiment)}")
        return
    port = _free_port(config.ui.port)
    base = f"http://{HOST}:{port}"
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--backend-store-uri",
        store,
        "--host",
        HOST,
        "--port",
        str(port),
    ]
    # One worker answers one person; the default of four costs a gigabyte.
    signal.signal(signal.SIGTERM, _interrupt)  # so that the server goes too
    # One worker answers one person; the default of four costs a gigabyte.
    with LOG.open("w") as log:
        server = subprocess.Popen([*command, "--workers", "1"], stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_until_up(base, server)
        print(f"Compare runs at  {_address(base, experiment)}\nCtrl-C stops the server.", flush=True)
        if config.ui.open:
            webbrowser.open(_address(base, experiment))
        server.wait()
    except KeyboardInterrupt:
        print("stopped")
    finally:
        server.terminate()
        server.wait(timeout=30)


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _address(base: str, experiment: str) -> str:
    # The sidebar would default to another workflow and show no chart.
    return f"{base}/#/experiments/{experiment}/runs?compareRunsMode=CHART&workflowType=machine_learning"


def _free_port(wanted: int | None) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted or 0))
        except OSError as error:
            raise RequestError(f"ui.port={wanted}: {error.strerror}; choose another, or leave it out") from error
        return int(probe.getsockname()[1])


def _wait_until_up(base: str, server: subprocess.Popen[bytes]) -> None:
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
