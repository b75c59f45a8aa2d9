"""A connection between the leader of some processes and each of the others, by which each notices when the other dies.

What they compute together waits for all of them, on some devices for ever. The kernel closes a connection whenever a
process ends, however it does.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import secrets
import selectors
import signal
import socket
import sys
import threading
import time

from .signals import GRACE_SECONDS

CONNECT_SECONDS = 60

LEAVE_SECONDS = 20
"""How long the leader may take to notice by itself that another process is gone, and to say so in its files."""

FOLLOW_SECONDS = 5
"""How long the others may take to notice that the leader is gone."""

RESUME = "the same command goes on from the last saved state"


def _keep_alive(connection: socket.socket) -> None:
    """Let a machine that is gone be noticed as well, within about two minutes."""
    connection.settimeout(None)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, option):  # Linux
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def _leave(message: str, status: int) -> None:
    """End this process, whatever its main thread waits for, and those that it started."""
    print(message, file=sys.stderr, flush=True)
    for child in multiprocessing.active_children():
        child.kill()
    os._exit(status)


class LeaderTether:
    """Holds one connection to each of the other processes."""

    def __init__(self, others: int, *, everywhere: bool) -> None:
        """`everywhere`: they run on other machines, or may; else this machine alone is listened to."""
        self._socket = socket.create_server(("" if everywhere else "127.0.0.1", 0), backlog=others)
        self._socket.settimeout(CONNECT_SECONDS)
        self.port, self.token, self._others = self._socket.getsockname()[1], secrets.token_hex(16), others
        self._thread: threading.Thread | None = None
        self._ended, self._lost = threading.Event(), threading.Event()
        self.reason = ""
        """Why a process is gone that should not be."""
        self._connections = dict[socket.socket, int]()
        self._signals, self._wakeup = socket.socketpair()
        self._wakeup.setblocking(False)

    def accept(self) -> None:
        """Wait for all the others, then watch them.

        Raises:
            RuntimeError: if one does not come.
        """
        while len(self._connections) < self._others:
            try:
                connection, _ = self._socket.accept()
                connection.settimeout(CONNECT_SECONDS)
                hello = json.loads(connection.makefile().readline() or "{}")
            except (TimeoutError, ValueError) as error:
                raise RuntimeError("a process that trains with this one does not answer") from error
            if hello.get("token") != self.token:
                connection.close()
                continue
            _keep_alive(connection)
            self._connections[connection] = hello["rank"]
        self._socket.close()
        # Python's own handlers wait for the main thread, and it for the others, one of which may be stopped.
        signal.set_wakeup_fd(self._wakeup.fileno(), warn_on_full_buffer=False)
        self._thread = threading.Thread(target=self._watch, name="tether", daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        asked = list[tuple[int, float]]()
        with selectors.DefaultSelector() as selector:
            for connection in self._connections:
                selector.register(connection, selectors.EVENT_READ, bytearray())
            selector.register(self._signals, selectors.EVENT_READ)
            while not self._ended.is_set():
                for key, _ in selector.select(timeout=0.2):
                    if key.fileobj is self._signals:
                        found = [n for n in self._signals.recv(64) if n in (signal.SIGTERM, signal.SIGINT)]
                        asked += [(n, time.monotonic()) for n in found]
                    else:
                        self._read(selector, key)
                self._leave_if_asked(asked)

    def _leave_if_asked(self, asked: list[tuple[int, float]]) -> None:
        """End where the main thread cannot: on a second signal, or when the first is long past."""
        is_late = bool(asked) and time.monotonic() > asked[0][1] + GRACE_SECONDS + LEAVE_SECONDS
        # The handler of a second signal ends the process, if it can.
        if (is_late or len(asked) > 1) and not self._ended.wait(1):
            _leave(f"ended while another process did not answer; {RESUME}", 128 + asked[0][0])

    def _read(self, selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
        connection, received = key.fileobj, key.data
        assert isinstance(connection, socket.socket)
        try:
            given = connection.recv(4096)
        except OSError:
            given = b""
        received += given
        if given:
            return
        selector.unregister(connection)
        last = received.decode(errors="replace").strip()
        if last != "done" and not self._ended.is_set():
            self.reason = self.reason or f"process {self._connections[connection]} {last or 'was killed'}"
            self._lost.set()
            threading.Thread(target=self._leave_unless_ended, daemon=True).start()

    def _leave_unless_ended(self) -> None:
        if not self._ended.wait(LEAVE_SECONDS):
            _leave(f"failed: {self.reason}; {RESUME}", 1)

    def why_lost(self, seconds: float) -> str:
        """Why one of the others is gone, waiting so long to hear of it; empty if all are there."""
        self._lost.wait(seconds)
        return self.reason

    def close(self) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
            signal.set_wakeup_fd(-1)
        for connection in (self._socket, self._signals, self._wakeup, *self._connections):
            connection.close()


class FollowerTether:
    """The other end, in each of the other processes."""

    def __init__(self, address: str, port: int, token: str, rank: int) -> None:
        self._socket = socket.create_connection((address, port), timeout=CONNECT_SECONDS)
        self._ended = threading.Event()
        self._socket.sendall(json.dumps({"token": token, "rank": rank}).encode() + b"\n")
        _keep_alive(self._socket)
        threading.Thread(target=self._watch, name="tether", daemon=True).start()

    def _watch(self) -> None:
        try:
            while self._socket.recv(4096):
                pass
        except OSError:
            pass
        if not self._ended.wait(FOLLOW_SECONDS):
            os._exit(1)  # the leader says why

    def close(self, problem: str = "") -> None:
        """Say that all is done, or what went wrong."""
        self._ended.set()
        try:
            self._socket.sendall((f"failed ({problem})" if problem else "done").encode())
            self._socket.close()
        except OSError:
            pass  # the leader is gone
