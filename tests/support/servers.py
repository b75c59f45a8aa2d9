"""A real MLflow server, and a gate before it that can be told to refuse, to hang, to fail, or to lose the answers."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOST = "127.0.0.1"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class MlflowServer:
    """`mlflow server` over a database in `folder`, or `store`; what is killed can be started again where it was."""

    def __init__(self, folder: Path, store: str | None = None) -> None:
        self.folder, self.port, self.process = folder, free_port(), None
        self.database = folder / "server.db"
        self.store = store or f"sqlite:///{self.database}"

    @property
    def uri(self) -> str:
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        words = ["--backend-store-uri", self.store, "--artifacts-destination", f"{self.folder}/files"]
        words += ["--host", HOST, "--port", str(self.port), "--workers", "1"]
        clean = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW")}
        with (self.folder / "server.log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mlflow", "server", *words], stdout=log, stderr=log, cwd=self.folder,
                env=clean | {"MLFLOW_DISABLE_TELEMETRY": "true"}, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline:
            assert self.process.poll() is None, (self.folder / "server.log").read_text()
            try:
                with urllib.request.urlopen(f"{self.uri}/health", timeout=2):
                    return
            except OSError:
                time.sleep(0.2)
        raise TimeoutError("the MLflow server does not come up")

    def kill(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)  # with its worker
            self.process.wait()
            self.process = None


class Postgres:
    """A PostgreSQL server that is reached through a socket in its folder, by no network."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="postgres"))  # pytest's own folders are closed to other users
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def where(self) -> str:
        """Behind the scheme of its address: MLflow's names the driver, for SQLAlchemy 2.1 would take another one."""
        return f"//postgres@/postgres?host={self.folder}"

    def start(self) -> None:
        programs = max(Path("/usr/lib/postgresql").glob("*/bin"))
        # It refuses to be run by root.
        user = ["/usr/sbin/runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if user:
            shutil.chown(self.folder, "postgres")
        make = [*user, programs / "initdb", "--auth=trust", "--username=postgres", "-D", self.folder / "data"]
        subprocess.run(make, check=True, capture_output=True, cwd=self.folder)
        serve = ["-D", self.folder / "data", "-c", "listen_addresses=", "-c", f"unix_socket_directories={self.folder}"]
        with (self.folder / "postgres.log").open("w") as log:
            self.process = subprocess.Popen([*user, programs / "postgres", *serve], stdout=log, stderr=log, cwd="/")
        ready = [programs / "pg_isready", "-q", "-h", self.folder]
        deadline = time.monotonic() + 60
        while subprocess.run(ready).returncode:
            assert self.process.poll() is None, (self.folder / "postgres.log").read_text()
            assert time.monotonic() < deadline, (self.folder / "postgres.log").read_text()
            time.sleep(0.1)

    def stop(self) -> None:
        if self.process is not None:
            os.kill(int((self.folder / "data/postmaster.pid").read_text().split()[0]), signal.SIGINT)
            self.process.wait(60)
        shutil.rmtree(self.folder)


class Gate:
    """Forwards to a server in the mode `pass`.

    The other modes are `refuse`, `hang`, `fail` (500), `deny` (401), `lose` (answers).
    """

    def __init__(self, target: int) -> None:
        self.target, self.port, self.mode = target, free_port(), "pass"
        self.changed = threading.Event()
        self.server: ThreadingHTTPServer | None = None
        self.turn("pass")

    @property
    def uri(self) -> str:
        return f"http://{HOST}:{self.port}"

    def turn(self, mode: str) -> None:
        """Behave like this from now on; requests that hang are dropped."""
        self.mode = mode
        self.changed.set()
        self.changed = threading.Event()
        if mode == "refuse" and self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None
        if mode != "refuse" and self.server is None:
            self.server = ThreadingHTTPServer((HOST, self.port), _handler(self))
            threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()


def _handler(gate: Gate) -> type[BaseHTTPRequestHandler]:
    class Forward(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if gate.mode == "hang":
                gate.changed.wait(60)
            elif gate.mode == "fail":
                self.send_error(500)
            elif gate.mode == "deny":
                self.send_error(401)
            else:
                answer = self.forward(body)
                if gate.mode != "lose":
                    with suppress(ConnectionError):  # whoever asked may be gone
                        self.hand_on(*answer)

        def hand_on(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
            self.send_response(status)
            for key, value in headers:
                if key.lower() not in ("connection", "transfer-encoding", "content-length"):
                    self.send_header(key, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
            ahead = http.client.HTTPConnection(HOST, gate.target, timeout=60)
            try:
                ahead.request(self.command, self.path, body, dict(self.headers))
                response = ahead.getresponse()
                return response.status, response.getheaders(), response.read()
            except OSError:
                return 502, [], b"bad gateway"
            finally:
                ahead.close()

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Forward


@contextmanager
def serve(folder: Path) -> Iterator[tuple[MlflowServer, Gate]]:
    """An MLflow server and the gate before it, both gone at the end."""
    server = MlflowServer(folder)
    server.start()
    gate = Gate(server.port)
    try:
        yield server, gate
    finally:
        gate.turn("refuse")
        server.kill()
