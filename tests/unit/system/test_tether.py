"""Processes that hold on to each other notice when one of them dies."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from src.system.tether import LeaderTether
from tests.support.processes import ROOT

FOLLOWER = """
import sys, time
from src.system.tether import FollowerTether
tether = FollowerTether("127.0.0.1", int(sys.argv[1]), sys.argv[2], 1)
print("there", flush=True)
how = sys.stdin.readline().strip()
if how != "die":
    tether.close(how)
"""


def follow(tether: LeaderTether, token: str = "") -> subprocess.Popen[str]:
    words = [sys.executable, "-c", FOLLOWER, str(tether.port), token or tether.token]
    return subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    ("how", "reason"),
    [("", ""), ("die", "process 1 was killed"), ("no memory", "process 1 failed (no memory)")],
)
def test_the_leader_knows_why_another_process_is_gone(how: str, reason: str) -> None:
    tether = LeaderTether(1, everywhere=False)
    try:
        process = follow(tether)
        tether.accept()
        process.communicate(f"{how}\n", timeout=30)
        begun = time.monotonic()
        assert tether.why_lost(0.2 if not reason else 10) == reason
        assert time.monotonic() - begun < 5
    finally:
        tether.close()
    assert signal.set_wakeup_fd(-1) == -1, "signals are again what they were"


def test_the_others_end_when_the_leader_is_gone() -> None:
    tether = LeaderTether(1, everywhere=False)
    with follow(tether) as process:
        tether.accept()
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        tether.close()
        assert process.wait(20) == 1, "although it waits for something else"


LEADER = """
import ctypes, signal
from src.system.tether import LeaderTether
tether = LeaderTether(1, everywhere=False)
print(tether.port, tether.token, flush=True)
tether.accept()
signal.signal(signal.SIGTERM, lambda *_: None)
print("there", flush=True)
library, mutex = ctypes.CDLL(None), ctypes.create_string_buffer(64)
library.pthread_mutex_lock(mutex)
library.pthread_mutex_lock(mutex)  # where no handler of Python's is called
"""


def test_a_second_signal_ends_a_leader_that_waits_for_others_for_ever() -> None:
    words = [sys.executable, "-c", LEADER]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as leader:
        assert leader.stdout is not None
        words = [sys.executable, "-c", FOLLOWER, *leader.stdout.readline().split()]
        with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as follower:
            assert leader.stdout.readline() == "there\n"
            for _ in range(2):
                leader.send_signal(signal.SIGTERM)
                time.sleep(0.5)
            _, error = leader.communicate(timeout=30)
            assert leader.returncode == 128 + signal.SIGTERM
            assert error.startswith("ended while another process did not answer; the same command goes on")
            follower.kill()
