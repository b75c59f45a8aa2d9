"""Jobs of submitit: what they do when their time is up, and who notices that one is gone.

Submitit learns of a lost job from SLURM's accounting, at most every ten minutes, and never where a cluster keeps none;
and then it leaves all the others. So a job that is gone without a result gets one from the process that waits for it.
"""

from __future__ import annotations

import logging
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from hydra.core.utils import JobReturn, JobStatus

from ..system.signals import Interrupted, handle_signals
from .parent import RESUME_HINT, JobResult, parent_process

TIMEOUT_SIGNAL = signal.SIGUSR2
"""What SLURM and submitit's local jobs send shortly before a time limit."""

POLL_SECONDS = 4.0
"""Seconds between two looks at the queue; submitit gives a job that ended 15 to come out with its result."""


def watch_jobs(launcher: str, folder: str) -> None:
    """From now on, and as long as this process lives.

    Args:
        launcher: `submitit_slurm` or `submitit_local`.
        folder: `hydra.launcher.submitit_folder`; submitit fills in the places that begin with a %.
    """
    from submitit.core.logger import get_logger

    get_logger().setLevel(logging.ERROR)  # it warns each time that SLURM's accounting is not there
    pattern = re.sub("%[a-zA-Z]", "*", folder) + "/*_submitted.pkl"
    earlier = set(Path().glob(pattern))
    threading.Thread(
        target=_watch, args=(pattern, earlier, launcher == "submitit_slurm"), name="jobs", daemon=True
    ).start()


def _watch(pattern: str, earlier: set[Path], is_slurm: bool) -> None:
    """Look again and again for jobs that are gone and left nothing."""
    missed = set[Path]()
    while True:
        time.sleep(POLL_SECONDS)
        waiting = [path for path in Path().glob(pattern) if path not in earlier and not _result(path).exists()]
        queued = _queued() if is_slurm else {_job(path) for path in waiting if Path(f"/proc/{_job(path)}").exists()}
        if queued is not None:
            gone = {path for path in waiting if _job(path) not in queued}
            for path in gone & missed:  # twice: a result may take its time over a network's file system
                _mark_lost(path)
            missed = gone


def _job(submitted: Path) -> str:
    return submitted.name.removesuffix("_submitted.pkl")


def _result(submitted: Path) -> Path:
    return submitted.with_name(f"{_job(submitted)}_0_result.pkl")


def _queued() -> set[str] | None:
    """The user's jobs, waiting or at work; None if SLURM does not say."""
    done = subprocess.run(["squeue", "--me", "-h", "-r", "-o", "%i"], capture_output=True, text=True)
    return set(done.stdout.split()) if done.returncode == 0 else None


def _mark_lost(submitted: Path) -> None:
    """Put a result in the place of the one that never came, and leave word of the cell unless it did so itself."""
    from submitit.core.utils import DelayedSubmission, cloudpickle_dump, temporary_save_path

    overrides, _, number, *_ = DelayedSubmission.load(submitted).args
    message = (
        f"its job {_job(submitted)} is gone (cancelled, killed, out of memory?), see {submitted.parent}; {RESUME_HINT}"
    )
    parent_process().write_result(number, JobResult(tuple(overrides), 1, message), replace_earlier=False)
    ended = JobReturn(status=JobStatus.COMPLETED)
    with temporary_save_path(_result(submitted)) as partial:
        cloudpickle_dump(("success", ended), partial)


@contextmanager
def requeue_on_timeout() -> Iterator[None]:
    """Around a cell: where it is a job, its time limit interrupts it as SIGTERM does, and then it is queued again.

    So does a preemption that gives notice. What was cancelled, or requeued by SLURM itself, ends without a result.
    """
    if not is_job():
        yield
        return
    received: list[int] = []

    def interrupt(signum: int, frame: FrameType | None) -> None:
        if not received:  # a second one is no reason to hurry
            received.append(signum)
            signal.raise_signal(signal.SIGTERM)

    requeue = signal.signal(TIMEOUT_SIGNAL, interrupt)
    try:
        with handle_signals():
            yield
    except Interrupted:
        if (received or _still_running()) and callable(requeue):
            requeue(TIMEOUT_SIGNAL, None)  # submitit's: queues the job and exits
        raise
    finally:
        signal.signal(TIMEOUT_SIGNAL, requeue)


def is_job() -> bool:
    """Whether submitit started this process."""
    return "SUBMITIT_EXECUTOR" in os.environ


def _still_running() -> bool:
    """Whether SLURM has the job go on, though it sent it a signal: a preemption after a period of grace."""
    from submitit import JobEnvironment

    if "SLURM_JOB_ID" not in os.environ:
        return False
    asked = ["squeue", "-h", "-j", JobEnvironment().job_id, "-o", "%T"]
    return subprocess.run(asked, capture_output=True, text=True).stdout == "RUNNING\n"
